# bash completion for psops
# Written by python -m psops.cli.generate; changes are lost.

_psops_verb() {
    case $1 in
    '')
        verbs=' status logs watch start stop restart try-restart reload reload-or-restart enable disable reenable mask unmask reset-failed kill daemon-reload cron2daemon panda rucio unit psid history bundle pipeline inventory config doctor shell '
        options=' --color --debug --version -h --help '
        valued=' --color '
        arguments=()
        repeats=
        ;;
    status)
        verbs=' '
        options=' --failed --state -t --type -p --properties -n --lines -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --state -t --type -p --properties -n --lines -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    logs)
        verbs=' '
        options=' -f --follow -n --lines --since --until -p --priority --grep --bundle --source -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' -n --lines --since --until -p --priority --grep --bundle --source -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    watch)
        verbs=' '
        options=' --bundle --initial --for --read-only -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --color --debug -h --help '
        valued=' --bundle --for -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    start | restart | try-restart | reload-or-restart)
        verbs=' '
        options=' --bundle -n --dry-run -y --yes --force --no-block --job-mode --only --settle --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --job-mode --settle --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    stop | reload)
        verbs=' '
        options=' --bundle -n --dry-run -y --yes --force --no-block --job-mode --only --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --job-mode --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    enable | reenable)
        verbs=' '
        options=' --bundle --now --runtime -n --dry-run -y --yes --force --no-block --job-mode --only --settle --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --job-mode --settle --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    disable | mask)
        verbs=' '
        options=' --bundle --now --runtime -n --dry-run -y --yes --force --no-block --job-mode --only --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --job-mode --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    unmask)
        verbs=' '
        options=' --bundle --runtime -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    reset-failed)
        verbs=' '
        options=' --bundle -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    kill)
        verbs=' '
        options=' --bundle -s --signal --kill-whom -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --bundle -s --signal --kill-whom --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=('offer units')
        repeats=yes
        ;;
    daemon-reload)
        verbs=' '
        options=' -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help '
        valued=' --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color '
        arguments=()
        repeats=
        ;;
    cron2daemon)
        verbs=' '
        options=' --per-server --servers --sync --exclusive --min-sync-period --form --dialect --zone --name-map --module --arguments --period --timeout --gap --decisions --strict --format --json -o --output --color --debug -h --help '
        valued=' --per-server --servers --sync --exclusive --min-sync-period --form --dialect --zone --name-map --module --arguments --period --timeout --gap --decisions --format -o --output --color '
        arguments=(files)
        repeats=yes
        ;;
    panda)
        verbs=' show check merge diff simulate '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'panda show')
        verbs=' '
        options=' --servers --origins --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help '
        valued=' --servers --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color '
        arguments=(files)
        repeats=
        ;;
    'panda check')
        verbs=' '
        options=' --env --release -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --color --debug -h --help '
        valued=' --env --release -i --inventory --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=(files)
        repeats=yes
        ;;
    'panda merge')
        verbs=' '
        options=' --write --update --env --color --debug -h --help '
        valued=' --env --color '
        arguments=(files files)
        repeats=
        ;;
    'panda diff')
        verbs=' '
        options=' --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help '
        valued=' --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color '
        arguments=(files files)
        repeats=
        ;;
    'panda simulate')
        verbs=' '
        options=' --servers --days --durations --duration --vary --idle-loops --n-proc --offsets --seed --against --plot --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help '
        valued=' --servers --days --durations --duration --n-proc --offsets --seed --against --plot --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color '
        arguments=(files)
        repeats=
        ;;
    rucio)
        verbs=' verify heartbeats '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'rucio verify')
        verbs=' '
        options=' --rest --token --ca --db-url --db-schema --units-only --alias -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help '
        valued=' --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=()
        repeats=
        ;;
    'rucio heartbeats')
        verbs=' '
        options=' --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --color --debug -h --help '
        valued=' --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=()
        repeats=
        ;;
    unit)
        verbs=' write lint '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'unit write')
        verbs=' '
        options=' -o --output --force --home --bin --user --color --debug -h --help '
        valued=' -o --output --home --bin --user --color '
        arguments=(any any)
        repeats=yes
        ;;
    'unit lint')
        verbs=' '
        options=' -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help '
        valued=' -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=(files)
        repeats=yes
        ;;
    psid)
        verbs=' verify nodes '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'psid verify')
        verbs=' '
        options=' --settle --deep --vantage --wait --psiadmin -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help '
        valued=' --settle --vantage --psiadmin -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=()
        repeats=
        ;;
    'psid nodes')
        verbs=' '
        options=' --resolve --from --psiadmin -o --output --debug -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config -h --help '
        valued=' --from --psiadmin -o --output -i --inventory --connect-timeout --timeout -F --ssh-config '
        arguments=(files)
        repeats=
        ;;
    history)
        verbs=' show '
        options=' --host --unit --since --failed -n --limit --format --json --color --debug -h --help '
        valued=' --host --unit --since -n --limit --format --color '
        arguments=()
        repeats=
        ;;
    'history show')
        verbs=' '
        options=' --format --json --color --debug -h --help '
        valued=' --format --color '
        arguments=('words last')
        repeats=
        ;;
    bundle)
        verbs=' list show path lint verify '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'bundle list')
        verbs=' '
        options=' --system --format --json --color --debug -h --help '
        valued=' --system --format --color '
        arguments=()
        repeats=
        ;;
    'bundle show')
        verbs=' '
        options=' --daemon --component --os --version --format --json --color --debug -h --help '
        valued=' --daemon --component --os --version --format --color '
        arguments=('offer bundles')
        repeats=
        ;;
    'bundle path')
        verbs=' '
        options=' --format --json --debug -h --help '
        valued=' --format '
        arguments=()
        repeats=
        ;;
    'bundle lint')
        verbs=' '
        options=' --format --json --debug -h --help '
        valued=' --format '
        arguments=(files)
        repeats=yes
        ;;
    'bundle verify')
        verbs=' '
        options=' --checks -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help '
        valued=' --checks -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=('offer bundles')
        repeats=yes
        ;;
    pipeline)
        verbs=' list show graph verify lint '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'pipeline list')
        verbs=' '
        options=' -f --file --system --format --json --color --debug -h --help '
        valued=' -f --file --system --format --color '
        arguments=()
        repeats=
        ;;
    'pipeline show')
        verbs=' '
        options=' -f --file --system --format --json --color --debug -h --help '
        valued=' -f --file --system --format --color '
        arguments=('offer components')
        repeats=
        ;;
    'pipeline graph')
        verbs=' '
        options=' -f --file --system --as --verify -o --output --window -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help '
        valued=' -f --file --system --as -o --output --window -i --inventory --connect-timeout --timeout -F --ssh-config --color '
        arguments=()
        repeats=
        ;;
    'pipeline verify')
        verbs=' '
        options=' -f --file --system --window -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --color --debug -h --help '
        valued=' -f --file --system --window -i --inventory --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color '
        arguments=('offer components')
        repeats=yes
        ;;
    'pipeline lint')
        verbs=' '
        options=' -f --file --system --strict --debug -h --help '
        valued=' -f --file --system '
        arguments=()
        repeats=
        ;;
    inventory)
        verbs=' list show check add remove import export graph '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'inventory list')
        verbs=' '
        options=' -g --group -H --hosts -x --exclude -i --inventory --format --json --color --debug -h --help '
        valued=' -g --group -H --hosts -x --exclude -i --inventory --format --color '
        arguments=()
        repeats=
        ;;
    'inventory show')
        verbs=' '
        options=' -i --inventory --format --json --color --debug -h --help '
        valued=' -i --inventory --format --color '
        arguments=('offer hosts')
        repeats=yes
        ;;
    'inventory check')
        verbs=' '
        options=' --no-clock --max-skew -H --hosts -g --group -a --all -x --exclude -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --color --debug -h --help '
        valued=' --max-skew -H --hosts -g --group -x --exclude -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=()
        repeats=
        ;;
    'inventory add')
        verbs=' '
        options=' -g --group --address --login --port --jump --transport --sudo --bundle --label -n --dry-run -y --yes -i --inventory --json --color --debug -h --help '
        valued=' -g --group --address --login --port --jump --transport --bundle --label -i --inventory --color '
        arguments=(any)
        repeats=yes
        ;;
    'inventory remove')
        verbs=' '
        options=' --from -n --dry-run -y --yes -i --inventory --json --color --debug -h --help '
        valued=' --from -i --inventory --color '
        arguments=('offer hosts')
        repeats=yes
        ;;
    'inventory import')
        verbs=' '
        options=' -g --group --prefix --replace -o --output --timeout -n --dry-run -y --yes -i --inventory --json --color --debug -h --help '
        valued=' -g --group --prefix -o --output --timeout -i --inventory --color '
        arguments=('files auto ansible ssh-config known-hosts psconfig parastation clustershell genders slurm hosts plain json')
        repeats=yes
        ;;
    'inventory export')
        verbs=' '
        options=' -g --group -H --hosts -x --exclude --port -o --output -i --inventory --debug -h --help '
        valued=' -g --group -H --hosts -x --exclude --port -o --output -i --inventory '
        arguments=('words ansible clustershell prometheus ssh-config json')
        repeats=
        ;;
    'inventory graph')
        verbs=' '
        options=' -g --group -H --hosts -x --exclude --as -o --output -i --inventory --color --debug -h --help '
        valued=' -g --group -H --hosts -x --exclude --as -o --output -i --inventory --color '
        arguments=()
        repeats=
        ;;
    config)
        verbs=' show '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'config show')
        verbs=' '
        options=' -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --json --color --debug -h --help '
        valued=' -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color '
        arguments=()
        repeats=
        ;;
    doctor)
        verbs=' '
        options=' -i --inventory -F --ssh-config --format --json --color --debug -h --help '
        valued=' -i --inventory -F --ssh-config --format --color '
        arguments=()
        repeats=
        ;;
    shell)
        verbs=' install uninstall show '
        options=' -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'shell install' | 'shell uninstall')
        verbs=' '
        options=' --debug -h --help '
        valued=' '
        arguments=()
        repeats=
        ;;
    'shell show')
        verbs=' '
        options=' --debug -h --help '
        valued=' '
        arguments=('words bash zsh fish')
        repeats=
        ;;
    esac
}

_psops_value() {
    case $1 in
    'logs -p') kind='words emerg alert crit err warning notice info debug' ;;
    'inventory add -i' | 'inventory remove -i' | 'inventory import -i' | 'inventory add --inventory' | 'inventory remove --inventory' | 'inventory import --inventory') kind=files ;;
    'logs --format') kind='words text jsonl' ;;
    'watch --format') kind='words lines jsonl' ;;
    'cron2daemon --format') kind='words daemon table json report' ;;
    'panda show --format' | 'panda diff --format' | 'panda simulate --format' | 'rucio heartbeats --format') kind='words table json' ;;
    'panda check --format' | 'rucio verify --format' | 'unit lint --format' | 'psid verify --format' | 'bundle verify --format' | 'pipeline verify --format') kind='words table json jsonl junit tap nagios checkmk prometheus markdown html' ;;
    'unit write -o' | 'unit write --output') kind=folders ;;
    'inventory remove --from') kind='offer groups' ;;
    'inventory graph --as') kind='words tree mermaid dot' ;;
    *' --color') kind='words auto always never' ;;
    *' --state') kind='list active reloading refreshing inactive failed activating deactivating maintenance loaded masked bad-setting error not-found running exited dead auto-restart listening waiting mounted' ;;
    *' -t' | *' --type') kind='list service socket timer target path mount automount swap slice scope device' ;;
    *' -p' | *' --properties') kind='list AccessSELinuxContext ActivationDetails ActiveEnterTimestamp ActiveEnterTimestampMonotonic ActiveExitTimestamp ActiveExitTimestampMonotonic ActiveState After AllowIsolate AssertResult AssertTimestamp AssertTimestampMonotonic Asserts Before BindsTo BoundBy CanClean CanFreeze CanIsolate CanLiveMount CanReload CanStart CanStop CollectMode ConditionResult ConditionTimestamp ConditionTimestampMonotonic Conditions ConflictedBy Conflicts ConsistsOf DebugInvocation DefaultDependencies Description Documentation DropInPaths ExecMainCode ExecMainStatus FailureAction FailureActionExitStatus Following FragmentPath FreezerState Id IgnoreOnIsolate InactiveEnterTimestamp InactiveEnterTimestampMonotonic InactiveExitTimestamp InactiveExitTimestampMonotonic InvocationID Job JobRunningTimeoutUSec JobTimeoutAction JobTimeoutRebootArgument JobTimeoutUSec JoinsNamespaceOf LoadError LoadState MainPID Markers MemoryCurrent NRestarts Names NeedDaemonReload OnFailure OnFailureJobMode OnFailureOf OnSuccess OnSuccessJobMode OnSuccessOf PartOf Perpetual PropagatesReloadTo PropagatesStopTo RebootArgument Refs RefuseManualStart RefuseManualStop ReloadPropagatedFrom RequiredBy Requires RequiresMountsFor Requisite RequisiteOf Result SliceOf SourcePath StartLimitAction StartLimitBurst StartLimitIntervalUSec StateChangeTimestamp StateChangeTimestampMonotonic StopPropagatedFrom StopWhenUnneeded SubState SuccessAction SuccessActionExitStatus SurviveFinalKillSignal TasksCurrent Transient TriggeredBy Triggers UnitFilePreset UnitFileState UpheldBy Upholds WantedBy Wants WantsMountsFor' ;;
    *' -H' | *' --hosts' | *' -x' | *' --exclude' | *' --vantage' | *' --from') kind='offer hosts' ;;
    *' -g' | *' --group') kind='offer groups' ;;
    *' -M' | *' --machine') kind='offer machines' ;;
    *' -i' | *' --inventory') kind='files demo' ;;
    *' -F' | *' --ssh-config' | *' --decisions' | *' -o' | *' --output' | *' --env' | *' --durations' | *' --against' | *' --plot' | *' --ca' | *' --psiadmin' | *' -f' | *' --file') kind=files ;;
    *' --format') kind='words table json jsonl' ;;
    *' --priority') kind='words emerg alert crit err warning notice info debug' ;;
    *' --bundle') kind='offer bundles' ;;
    *' --source') kind='words all journal files' ;;
    *' --order') kind='words inventory random' ;;
    *' --kill-whom') kind='words all main control' ;;
    *' --per-server' | *' --home' | *' --bin') kind=folders ;;
    *' --form') kind='words auto system user acron' ;;
    *' --dialect') kind='words common debian cronie' ;;
    *' --fail-on') kind='words warning critical' ;;
    *' --host') kind='offer host_names' ;;
    *' --unit') kind='offer units' ;;
    *' --system') kind='offer systems' ;;
    *' --daemon') kind='offer daemons' ;;
    *' --component') kind='offer components' ;;
    *' --os') kind='words deb el' ;;
    *' --as') kind='words tree mermaid dot svg' ;;
    *) kind=any ;;
    esac
}

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
