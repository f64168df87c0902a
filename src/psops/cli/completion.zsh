# Sets `kind`, what may stand at the cursor, `verb`, whose table is in force then, and
# `attached` if it is a value behind `--option=`.
_psops_place() {
  local word option='' rest='' i=2 j
  integer number=1
  _psops_verb ''
  while (( i < CURRENT )); do
    word=${(Q)words[i]}
    if [[ -n $rest ]]; then
      (( number++ ))
    elif [[ $word == -- ]]; then
      rest=yes
    elif [[ $word == --* ]]; then
      if [[ $word != *=* ]] && (( valued[(Ie)$word] )); then
        option=$word
        (( i++ ))
      fi
    elif [[ $word == -?* ]]; then
      for (( j = 2; j <= $#word; j++ )); do
        if (( valued[(Ie)-$word[j]] )); then
          if (( j == $#word )); then
            option=-$word[j]
            (( i++ ))
          fi
          break
        fi
      done
    elif (( verbs[(Ie)$word] )); then
      verb+=${verb:+ }$word
      number=1
      _psops_verb $verb
    else
      (( number++ ))
    fi
    (( i++ ))
  done
  word=${(Q)PREFIX}
  if (( i > CURRENT )); then
    _psops_value "$verb $option"
  elif [[ -z $rest && $word == --*=* ]]; then
    option=${word%%=*}
    attached=yes
    kind=any
    (( valued[(Ie)$option] )) && _psops_value "$verb $option"
  elif [[ -z $rest && $word == -* ]]; then
    kind=options
  elif (( $#verbs )); then
    kind=verbs
  else
    (( repeats && number > $#arguments )) && number=$#arguments
    kind=${arguments[number]:-any}
  fi
}

_psops() {
  local kind verb='' word help attached='' repeats=0
  local -a verbs options valued arguments found shown
  _psops_place
  # Not within the other function: zsh takes it back when a function ends.
  [[ -n $attached ]] && compset -P 1 '*='
  local value=${(Q)PREFIX}
  local program=${(Q)words[1]/#\~\//$HOME/}
  local -a before=(${(Q)words[2,CURRENT-1]})
  case $kind in
    (verbs)
      for word in $verbs; do
        _psops_help ${verb:+$verb }$word
        shown+=("$word:$help")
      done
      _describe -V -t commands 'verb' shown
      ;;
    (options)
      for word in $options; do
        _psops_help "$verb $word"
        shown+=("$word:$help")
      done
      _describe -o -t options 'option' shown
      ;;
    (words*) compadd -V values -- ${=kind#words} ;;
    (list*)
      local head=''
      [[ $value == *,* ]] && head=${value%,*},
      for word in ${=kind#list}; do
        [[ ,$head == *",$word,"* ]] || found+=("$head$word")
      done
      compadd -V values -S '' -- $found
      ;;
    (files*)
      compadd -V values -- ${=kind#files}
      _files
      ;;
    (folders) _files -/ ;;
    (offer*)
      found=(${(f)"$(_PSOPS_OFFER=${kind#offer } command $program "${before[@]}" "$value" 2>/dev/null)"})
      compadd -V values -- $found
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _psops "$@"  # zsh runs the file as a function at the first Tab
else
  compdef _psops psops
fi
