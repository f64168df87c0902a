function __psops_complete
    set -l words (commandline -opc)
    set -l value (commandline -ct | string unescape)
    set -l lead ''
    set -l verb
    set -l option ''
    set -l rest ''
    set -l number 1
    set -l kind any
    set -l i 2
    set -g __psops_verbs
    set -g __psops_options
    set -g __psops_valued
    set -g __psops_arguments
    set -g __psops_repeats ''
    __psops_verb ''
    while test $i -le (count $words)
        set -l word $words[$i]
        if test -n "$rest"
            set number (math $number + 1)
        else if test "$word" = --
            set rest yes
        else if string match -q -- '--*' $word
            if contains -- $word $__psops_valued
                set option $word
                set i (math $i + 1)
            end
        else if string match -q -- '-?*' $word
            set -l letters (string split '' -- (string sub -s 2 -- $word))
            for j in (seq (count $letters))
                if contains -- -$letters[$j] $__psops_valued
                    if test $j -eq (count $letters)
                        set option -$letters[$j]
                        set i (math $i + 1)
                    end
                    break
                end
            end
        else if contains -- $word $__psops_verbs
            set -a verb $word
            set number 1
            __psops_verb "$verb"
        else
            set number (math $number + 1)
        end
        set i (math $i + 1)
    end
    if test $i -gt (math (count $words) + 1)
        set kind (__psops_value "$verb $option")
    else if test -z "$rest"; and string match -q -- '--*=*' $value
        set option (string split -m 1 = -- $value)[1]
        set lead $option=
        set value (string split -m 1 = -- $value)[2]
        if contains -- $option $__psops_valued
            set kind (__psops_value "$verb $option")
        end
    else if test -z "$rest"; and string match -q -- '-*' $value
        for word in $__psops_options
            printf '%s\t%s\n' $word (__psops_help "$verb $word")
        end
        return
    else if set -q __psops_verbs[1]
        for word in $__psops_verbs
            printf '%s\t%s\n' $word (__psops_help (string trim -- "$verb $word"))
        end
        return
    else
        if test -n "$__psops_repeats"; and test $number -gt (count $__psops_arguments)
            set number (count $__psops_arguments)
        end
        if set -q __psops_arguments[$number]
            set kind $__psops_arguments[$number]
        end
    end
    set -l parts (string split ' ' -- $kind)
    set -l found
    switch $parts[1]
        case words
            set found $parts[2..]
        case list
            set -l head (string match -r '.*,' -- $value)
            for word in $parts[2..]
                string match -q -- "*,$word,*" ",$head"; or set -a found "$head$word"
            end
        case files
            set found $parts[2..] (__fish_complete_path $value)
        case folders
            set found (__fish_complete_directories $value '')
        case offer
            set found (_PSOPS_OFFER=$parts[2] command $words[1] $words[2..] $value 2>/dev/null)
    end
    for word in $found
        printf '%s\n' "$lead$word"
    end
end

complete --command psops --no-files --keep-order --arguments '(__psops_complete)'
