# Splits the line as the shell will, since COMP_WORDS is split at = @ and : as well: sets `words`,
# the last one up to the cursor without its quotes, and `done`, how much of that readline keeps.
_psops_split() {
    local line=${COMP_LINE:0:COMP_POINT} word='' quote='' begun='' char i
    words=() done=0
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1}
        if [[ $quote ]]; then
            if [[ $char == "$quote" ]]; then
                quote=''
            elif [[ $char == \\ && $quote == \" && ${line:i+1:1} == [\\\"\$\`] ]]; then
                word+=${line:++i:1}
            else
                word+=$char
            fi
        elif [[ $char == [\'\"] ]]; then
            quote=$char begun=yes done=${#word}
        elif [[ $char == \\ ]]; then
            word+=${line:++i:1} begun=yes
        elif [[ $char == [$' \t\n'] ]]; then
            [[ $begun ]] && words+=("$word")
            word='' begun='' done=0
        else
            # readline keeps what is before a break, but @ belongs to what comes behind it.
            [[ $COMP_WORDBREAKS == *"$char"* ]] && done=$((${#word} + 1))
            [[ $char == @ ]] && done=${#word}
            word+=$char begun=yes
        fi
    done
    words+=("$word")
}

# Sets `kind`, what may stand at the cursor, `value`, what is typed of it, and `lead`, what stands
# before it in the same word.
_psops_place() {
    local last=$((${#words[@]} - 1)) i=1 j word verb='' option='' rest='' number=0
    local verbs options valued arguments repeats
    value=${words[last]} lead=''
    _psops_verb ''
    while ((i < last)); do
        word=${words[i]}
        if [[ $rest ]]; then
            ((number++))
        elif [[ $word == -- ]]; then
            rest=yes
        elif [[ $word == --* ]]; then
            if [[ $word != *=* && $valued == *" $word "* ]]; then
                option=$word
                ((i++))
            fi
        elif [[ $word == -?* ]]; then
            for ((j = 1; j < ${#word}; j++)); do
                if [[ $valued == *" -${word:j:1} "* ]]; then
                    if ((j == ${#word} - 1)); then
                        option=-${word:j:1}
                        ((i++))
                    fi
                    break
                fi
            done
        elif [[ $verbs == *" $word "* ]]; then
            verb+=${verb:+ }$word
            number=0
            _psops_verb "$verb"
        else
            ((number++))
        fi
        ((i++))
    done
    if ((i > last)); then
        _psops_value "$verb $option"
    elif [[ ! $rest && $value == --*=* ]]; then
        option=${value%%=*}
        lead=$option=
        value=${value#*=}
        kind=any
        [[ $valued == *" $option "* ]] && _psops_value "$verb $option"
    elif [[ ! $rest && $value == -* ]]; then
        kind="words$options"
    elif [[ $verbs != ' ' ]]; then
        kind="words$verbs"
    else
        [[ $repeats ]] && ((number >= ${#arguments[@]})) && number=$((${#arguments[@]} - 1))
        kind=${arguments[number]:-any}
    fi
}

_psops() {
    local words done kind value lead head word found=()
    _psops_split
    _psops_place
    local program=${words[0]/#\~\//$HOME/}
    COMPREPLY=()
    case $kind in
    words*)
        found=(${kind#words})
        ;;
    list*)
        head=''
        [[ $value == *,* ]] && head=${value%,*},
        for word in ${kind#list}; do
            [[ ,$head == *",$word,"* ]] || found+=("$head$word")
        done
        ;;
    files*)
        local IFS=$'\n'
        compopt -o filenames
        word=$lead$value
        COMPREPLY=($(compgen -f -- "${word:done}"))
        IFS=' '
        found=(${kind#files})
        ;;
    folders)
        local IFS=$'\n'
        compopt -o filenames
        word=$lead$value
        COMPREPLY=($(compgen -d -- "${word:done}"))
        ;;
    offer*)
        mapfile -t found < <(_PSOPS_OFFER=${kind#offer } command "$program" \
            "${words[@]:1:${#words[@]}-2}" "$value" 2>/dev/null)
        ;;
    esac
    for word in "${found[@]}"; do
        if [[ $word == "$value"* ]]; then
            word=$lead$word
            word=${word:done}
            COMPREPLY+=("${word//\\/\\\\}")
        fi
    done
}

complete -o nosort -F _psops psops
