# fish completion for psops
# Written by python -m psops.cli.generate; changes are lost.

function __psops_verb
    switch $argv[1]
        case ''
            set __psops_verbs status logs watch start stop restart try-restart reload reload-or-restart enable disable reenable mask unmask reset-failed kill daemon-reload cron2daemon panda rucio unit psid history bundle pipeline inventory config doctor shell
            set __psops_options --color --debug --version -h --help
            set __psops_valued --color
            set __psops_arguments
            set __psops_repeats ''
        case 'status'
            set __psops_verbs
            set __psops_options --failed --state -t --type -p --properties -n --lines -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --state -t --type -p --properties -n --lines -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'logs'
            set __psops_verbs
            set __psops_options -f --follow -n --lines --since --until -p --priority --grep --bundle --source -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued -n --lines --since --until -p --priority --grep --bundle --source -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'watch'
            set __psops_verbs
            set __psops_options --bundle --initial --for --read-only -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --color --debug -h --help
            set __psops_valued --bundle --for -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'start' 'restart' 'try-restart' 'reload-or-restart'
            set __psops_verbs
            set __psops_options --bundle -n --dry-run -y --yes --force --no-block --job-mode --only --settle --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --job-mode --settle --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'stop' 'reload'
            set __psops_verbs
            set __psops_options --bundle -n --dry-run -y --yes --force --no-block --job-mode --only --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --job-mode --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'enable' 'reenable'
            set __psops_verbs
            set __psops_options --bundle --now --runtime -n --dry-run -y --yes --force --no-block --job-mode --only --settle --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --job-mode --settle --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'disable' 'mask'
            set __psops_verbs
            set __psops_options --bundle --now --runtime -n --dry-run -y --yes --force --no-block --job-mode --only --timeout --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --job-mode --timeout --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'unmask'
            set __psops_verbs
            set __psops_options --bundle --runtime -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'reset-failed'
            set __psops_verbs
            set __psops_options --bundle -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'kill'
            set __psops_verbs
            set __psops_options --bundle -s --signal --kill-whom -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --bundle -s --signal --kill-whom --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments 'offer units'
            set __psops_repeats yes
        case 'daemon-reload'
            set __psops_verbs
            set __psops_options -n --dry-run -y --yes --force --batch --canary --pause --max-fail --order --verify --retry-failed --no-history -H --hosts -g --group -a --all -x --exclude -M --machine --user -i --inventory --fanout --connect-timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --fold --no-fold --color --debug -h --help
            set __psops_valued --force --batch --canary --pause --max-fail --order -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout -F --ssh-config --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'cron2daemon'
            set __psops_verbs
            set __psops_options --per-server --servers --sync --exclusive --min-sync-period --form --dialect --zone --name-map --module --arguments --period --timeout --gap --decisions --strict --format --json -o --output --color --debug -h --help
            set __psops_valued --per-server --servers --sync --exclusive --min-sync-period --form --dialect --zone --name-map --module --arguments --period --timeout --gap --decisions --format -o --output --color
            set __psops_arguments 'files'
            set __psops_repeats yes
        case 'panda'
            set __psops_verbs show check merge diff simulate
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'panda show'
            set __psops_verbs
            set __psops_options --servers --origins --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help
            set __psops_valued --servers --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color
            set __psops_arguments 'files'
            set __psops_repeats ''
        case 'panda check'
            set __psops_verbs
            set __psops_options --env --release -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --color --debug -h --help
            set __psops_valued --env --release -i --inventory --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments 'files'
            set __psops_repeats yes
        case 'panda merge'
            set __psops_verbs
            set __psops_options --write --update --env --color --debug -h --help
            set __psops_valued --env --color
            set __psops_arguments 'files' 'files'
            set __psops_repeats ''
        case 'panda diff'
            set __psops_verbs
            set __psops_options --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help
            set __psops_valued --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color
            set __psops_arguments 'files' 'files'
            set __psops_repeats ''
        case 'panda simulate'
            set __psops_verbs
            set __psops_options --servers --days --durations --duration --vary --idle-loops --n-proc --offsets --seed --against --plot --env --format --json -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help
            set __psops_valued --servers --days --durations --duration --n-proc --offsets --seed --against --plot --env --format -i --inventory --connect-timeout --timeout -F --ssh-config --color
            set __psops_arguments 'files'
            set __psops_repeats ''
        case 'rucio'
            set __psops_verbs verify heartbeats
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'rucio verify'
            set __psops_verbs
            set __psops_options --rest --token --ca --db-url --db-schema --units-only --alias -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help
            set __psops_valued --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments
            set __psops_repeats ''
        case 'rucio heartbeats'
            set __psops_verbs
            set __psops_options --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --color --debug -h --help
            set __psops_valued --rest --token --ca --db-url --db-schema --alias -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'unit'
            set __psops_verbs write lint
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'unit write'
            set __psops_verbs
            set __psops_options -o --output --force --home --bin --user --color --debug -h --help
            set __psops_valued -o --output --home --bin --user --color
            set __psops_arguments 'any' 'any'
            set __psops_repeats yes
        case 'unit lint'
            set __psops_verbs
            set __psops_options -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help
            set __psops_valued -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments 'files'
            set __psops_repeats yes
        case 'psid'
            set __psops_verbs verify nodes
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'psid verify'
            set __psops_verbs
            set __psops_options --settle --deep --vantage --wait --psiadmin -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help
            set __psops_valued --settle --vantage --psiadmin -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments
            set __psops_repeats ''
        case 'psid nodes'
            set __psops_verbs
            set __psops_options --resolve --from --psiadmin -o --output --debug -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config -h --help
            set __psops_valued --from --psiadmin -o --output -i --inventory --connect-timeout --timeout -F --ssh-config
            set __psops_arguments 'files'
            set __psops_repeats ''
        case 'history'
            set __psops_verbs show
            set __psops_options --host --unit --since --failed -n --limit --format --json --color --debug -h --help
            set __psops_valued --host --unit --since -n --limit --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'history show'
            set __psops_verbs
            set __psops_options --format --json --color --debug -h --help
            set __psops_valued --format --color
            set __psops_arguments 'words last'
            set __psops_repeats ''
        case 'bundle'
            set __psops_verbs list show path lint verify
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'bundle list'
            set __psops_verbs
            set __psops_options --system --format --json --color --debug -h --help
            set __psops_valued --system --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'bundle show'
            set __psops_verbs
            set __psops_options --daemon --component --os --version --format --json --color --debug -h --help
            set __psops_valued --daemon --component --os --version --format --color
            set __psops_arguments 'offer bundles'
            set __psops_repeats ''
        case 'bundle path'
            set __psops_verbs
            set __psops_options --format --json --debug -h --help
            set __psops_valued --format
            set __psops_arguments
            set __psops_repeats ''
        case 'bundle lint'
            set __psops_verbs
            set __psops_options --format --json --debug -h --help
            set __psops_valued --format
            set __psops_arguments 'files'
            set __psops_repeats yes
        case 'bundle verify'
            set __psops_verbs
            set __psops_options --checks -H --hosts -g --group -a --all -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --fold --no-fold --color --debug -h --help
            set __psops_valued --checks -H --hosts -g --group -x --exclude -M --machine -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments 'offer bundles'
            set __psops_repeats yes
        case 'pipeline'
            set __psops_verbs list show graph verify lint
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'pipeline list'
            set __psops_verbs
            set __psops_options -f --file --system --format --json --color --debug -h --help
            set __psops_valued -f --file --system --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'pipeline show'
            set __psops_verbs
            set __psops_options -f --file --system --format --json --color --debug -h --help
            set __psops_valued -f --file --system --format --color
            set __psops_arguments 'offer components'
            set __psops_repeats ''
        case 'pipeline graph'
            set __psops_verbs
            set __psops_options -f --file --system --as --verify -o --output --window -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --color --debug -h --help
            set __psops_valued -f --file --system --as -o --output --window -i --inventory --connect-timeout --timeout -F --ssh-config --color
            set __psops_arguments
            set __psops_repeats ''
        case 'pipeline verify'
            set __psops_verbs
            set __psops_options -f --file --system --window -i --inventory --connect-timeout --timeout --accept-new-host-keys -F --ssh-config --fail-on --format --json -o --output --color --debug -h --help
            set __psops_valued -f --file --system --window -i --inventory --connect-timeout --timeout -F --ssh-config --fail-on --format -o --output --color
            set __psops_arguments 'offer components'
            set __psops_repeats yes
        case 'pipeline lint'
            set __psops_verbs
            set __psops_options -f --file --system --strict --debug -h --help
            set __psops_valued -f --file --system
            set __psops_arguments
            set __psops_repeats ''
        case 'inventory'
            set __psops_verbs list show check add remove import export graph
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'inventory list'
            set __psops_verbs
            set __psops_options -g --group -H --hosts -x --exclude -i --inventory --format --json --color --debug -h --help
            set __psops_valued -g --group -H --hosts -x --exclude -i --inventory --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'inventory show'
            set __psops_verbs
            set __psops_options -i --inventory --format --json --color --debug -h --help
            set __psops_valued -i --inventory --format --color
            set __psops_arguments 'offer hosts'
            set __psops_repeats yes
        case 'inventory check'
            set __psops_verbs
            set __psops_options --no-clock --max-skew -H --hosts -g --group -a --all -x --exclude -i --inventory --fanout --connect-timeout --timeout --sudo --accept-new-host-keys -F --ssh-config --format --json --color --debug -h --help
            set __psops_valued --max-skew -H --hosts -g --group -x --exclude -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'inventory add'
            set __psops_verbs
            set __psops_options -g --group --address --login --port --jump --transport --sudo --bundle --label -n --dry-run -y --yes -i --inventory --json --color --debug -h --help
            set __psops_valued -g --group --address --login --port --jump --transport --bundle --label -i --inventory --color
            set __psops_arguments 'any'
            set __psops_repeats yes
        case 'inventory remove'
            set __psops_verbs
            set __psops_options --from -n --dry-run -y --yes -i --inventory --json --color --debug -h --help
            set __psops_valued --from -i --inventory --color
            set __psops_arguments 'offer hosts'
            set __psops_repeats yes
        case 'inventory import'
            set __psops_verbs
            set __psops_options -g --group --prefix --replace -o --output --timeout -n --dry-run -y --yes -i --inventory --json --color --debug -h --help
            set __psops_valued -g --group --prefix -o --output --timeout -i --inventory --color
            set __psops_arguments 'files auto ansible ssh-config known-hosts psconfig parastation clustershell genders slurm hosts plain json'
            set __psops_repeats yes
        case 'inventory export'
            set __psops_verbs
            set __psops_options -g --group -H --hosts -x --exclude --port -o --output -i --inventory --debug -h --help
            set __psops_valued -g --group -H --hosts -x --exclude --port -o --output -i --inventory
            set __psops_arguments 'words ansible clustershell prometheus ssh-config json'
            set __psops_repeats ''
        case 'inventory graph'
            set __psops_verbs
            set __psops_options -g --group -H --hosts -x --exclude --as -o --output -i --inventory --color --debug -h --help
            set __psops_valued -g --group -H --hosts -x --exclude --as -o --output -i --inventory --color
            set __psops_arguments
            set __psops_repeats ''
        case 'config'
            set __psops_verbs show
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'config show'
            set __psops_verbs
            set __psops_options -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --json --color --debug -h --help
            set __psops_valued -i --inventory --fanout --connect-timeout --timeout -F --ssh-config --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'doctor'
            set __psops_verbs
            set __psops_options -i --inventory -F --ssh-config --format --json --color --debug -h --help
            set __psops_valued -i --inventory -F --ssh-config --format --color
            set __psops_arguments
            set __psops_repeats ''
        case 'shell'
            set __psops_verbs install uninstall show
            set __psops_options -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'shell install' 'shell uninstall'
            set __psops_verbs
            set __psops_options --debug -h --help
            set __psops_valued
            set __psops_arguments
            set __psops_repeats ''
        case 'shell show'
            set __psops_verbs
            set __psops_options --debug -h --help
            set __psops_valued
            set __psops_arguments 'words bash zsh fish'
            set __psops_repeats ''
    end
end

function __psops_value
    switch $argv[1]
        case 'logs -p'
            echo 'words emerg alert crit err warning notice info debug'
        case 'inventory add -i' 'inventory remove -i' 'inventory import -i' 'inventory add --inventory' 'inventory remove --inventory' 'inventory import --inventory'
            echo 'files'
        case 'logs --format'
            echo 'words text jsonl'
        case 'watch --format'
            echo 'words lines jsonl'
        case 'cron2daemon --format'
            echo 'words daemon table json report'
        case 'panda show --format' 'panda diff --format' 'panda simulate --format' 'rucio heartbeats --format'
            echo 'words table json'
        case 'panda check --format' 'rucio verify --format' 'unit lint --format' 'psid verify --format' 'bundle verify --format' 'pipeline verify --format'
            echo 'words table json jsonl junit tap nagios checkmk prometheus markdown html'
        case 'unit write -o' 'unit write --output'
            echo 'folders'
        case 'inventory remove --from'
            echo 'offer groups'
        case 'inventory graph --as'
            echo 'words tree mermaid dot'
        case '* --color'
            echo 'words auto always never'
        case '* --state'
            echo 'list active reloading refreshing inactive failed activating deactivating maintenance loaded masked bad-setting error not-found running exited dead auto-restart listening waiting mounted'
        case '* -t' '* --type'
            echo 'list service socket timer target path mount automount swap slice scope device'
        case '* -p' '* --properties'
            echo 'list AccessSELinuxContext ActivationDetails ActiveEnterTimestamp ActiveEnterTimestampMonotonic ActiveExitTimestamp ActiveExitTimestampMonotonic ActiveState After AllowIsolate AssertResult AssertTimestamp AssertTimestampMonotonic Asserts Before BindsTo BoundBy CanClean CanFreeze CanIsolate CanLiveMount CanReload CanStart CanStop CollectMode ConditionResult ConditionTimestamp ConditionTimestampMonotonic Conditions ConflictedBy Conflicts ConsistsOf DebugInvocation DefaultDependencies Description Documentation DropInPaths ExecMainCode ExecMainStatus FailureAction FailureActionExitStatus Following FragmentPath FreezerState Id IgnoreOnIsolate InactiveEnterTimestamp InactiveEnterTimestampMonotonic InactiveExitTimestamp InactiveExitTimestampMonotonic InvocationID Job JobRunningTimeoutUSec JobTimeoutAction JobTimeoutRebootArgument JobTimeoutUSec JoinsNamespaceOf LoadError LoadState MainPID Markers MemoryCurrent NRestarts Names NeedDaemonReload OnFailure OnFailureJobMode OnFailureOf OnSuccess OnSuccessJobMode OnSuccessOf PartOf Perpetual PropagatesReloadTo PropagatesStopTo RebootArgument Refs RefuseManualStart RefuseManualStop ReloadPropagatedFrom RequiredBy Requires RequiresMountsFor Requisite RequisiteOf Result SliceOf SourcePath StartLimitAction StartLimitBurst StartLimitIntervalUSec StateChangeTimestamp StateChangeTimestampMonotonic StopPropagatedFrom StopWhenUnneeded SubState SuccessAction SuccessActionExitStatus SurviveFinalKillSignal TasksCurrent Transient TriggeredBy Triggers UnitFilePreset UnitFileState UpheldBy Upholds WantedBy Wants WantsMountsFor'
        case '* -n' '* --lines' '* --fanout' '* --connect-timeout' '* --timeout' '* --since' '* --until' '* --grep' '* --for' '* --force' '* --job-mode' '* --settle' '* --batch' '* --canary' '* --pause' '* --max-fail' '* -s' '* --signal' '* --servers' '* --sync' '* --exclusive' '* --min-sync-period' '* --zone' '* --name-map' '* --module' '* --arguments' '* --period' '* --gap' '* --release' '* --days' '* --duration' '* --n-proc' '* --offsets' '* --seed' '* --rest' '* --token' '* --db-url' '* --db-schema' '* --alias' '* --user' '* --limit' '* --version' '* --checks' '* --window' '* --max-skew' '* --address' '* --login' '* --port' '* --jump' '* --transport' '* --label' '* --prefix'
            echo 'any'
        case '* -H' '* --hosts' '* -x' '* --exclude' '* --vantage' '* --from'
            echo 'offer hosts'
        case '* -g' '* --group'
            echo 'offer groups'
        case '* -M' '* --machine'
            echo 'offer machines'
        case '* -i' '* --inventory'
            echo 'files demo'
        case '* -F' '* --ssh-config' '* --decisions' '* -o' '* --output' '* --env' '* --durations' '* --against' '* --plot' '* --ca' '* --psiadmin' '* -f' '* --file'
            echo 'files'
        case '* --format'
            echo 'words table json jsonl'
        case '* --priority'
            echo 'words emerg alert crit err warning notice info debug'
        case '* --bundle'
            echo 'offer bundles'
        case '* --source'
            echo 'words all journal files'
        case '* --order'
            echo 'words inventory random'
        case '* --kill-whom'
            echo 'words all main control'
        case '* --per-server' '* --home' '* --bin'
            echo 'folders'
        case '* --form'
            echo 'words auto system user acron'
        case '* --dialect'
            echo 'words common debian cronie'
        case '* --fail-on'
            echo 'words warning critical'
        case '* --host'
            echo 'offer host_names'
        case '* --unit'
            echo 'offer units'
        case '* --system'
            echo 'offer systems'
        case '* --daemon'
            echo 'offer daemons'
        case '* --component'
            echo 'offer components'
        case '* --os'
            echo 'words deb el'
        case '* --as'
            echo 'words tree mermaid dot svg'
    end
end

function __psops_help
    switch $argv[1]
        case 'status'
            echo 'Show what runs here, in a container, or on many hosts.'
        case 'logs'
            echo 'Show the logs of units on many hosts, by time.'
        case 'watch'
            echo 'Watch units change, on a screen or as lines.'
        case 'start'
            echo 'Start units.'
        case 'stop'
            echo 'Stop units.'
        case 'restart'
            echo 'Stop and start units, also those that do not run.'
        case 'try-restart'
            echo 'Restart the units that are running.'
        case 'reload'
            echo 'Let units read their configuration again.'
        case 'reload-or-restart'
            echo 'Reload units, and restart those that cannot reload.'
        case 'enable'
            echo 'Let units come up at boot.'
        case 'disable'
            echo 'Let units no longer come up at boot.'
        case 'reenable'
            echo 'Disable units and enable them as their files say now.'
        case 'mask'
            echo 'Make it impossible to start units.'
        case 'unmask'
            echo 'Take back what mask has done.'
        case 'reset-failed'
            echo 'Forget that units have failed, and their start limits.'
        case 'kill'
            echo 'Send a signal to the processes of units.'
        case 'daemon-reload'
            echo 'Let systemd read all unit files again.'
        case 'cron2daemon'
            echo 'Translate crontabs into the daemons of a PanDA server.'
        case 'panda'
            echo 'Show, check, merge, compare, simulate PanDA\'s daemons.'
        case 'panda show'
            echo 'Show the daemons that a master would have.'
        case 'panda check'
            echo 'Find every known trap in configurations.'
        case 'panda merge'
            echo 'Merge daemons into a configuration.'
        case 'panda diff'
            echo 'Compare the daemons of two configurations.'
        case 'panda simulate'
            echo 'Simulate the daemons of a configuration on some servers.'
        case 'rucio'
            echo 'Prove that Rucio\'s daemons do their work.'
        case 'rucio verify'
            echo 'Prove that the daemons of hosts work, and say which do not.'
        case 'rucio heartbeats'
            echo 'List the heartbeats with their ages, units and verdicts.'
        case 'unit'
            echo 'Write unit files for daemons, or check them.'
        case 'unit write'
            echo 'Write a template, a target and a drop-in for daemons.'
        case 'unit lint'
            echo 'Find what keeps units of Rucio\'s daemons from surviving.'
        case 'psid'
            echo 'Prove that the nodes of ParaStation agree.'
        case 'psid verify'
            echo 'Prove that psid runs on all nodes, and that they agree.'
        case 'psid nodes'
            echo 'Make an inventory of the nodes of a cluster.'
        case 'history'
            echo 'Show what psops changed: the last runs, or one in full.'
        case 'history show'
            echo 'Show one run with all its hosts and units.'
        case 'bundle'
            echo 'Show what a role must run, and prove it of hosts.'
        case 'bundle list'
            echo 'List the bundles.'
        case 'bundle show'
            echo 'Show the daemons of a bundle, or one daemon or component in full.'
        case 'bundle path'
            echo 'List the files that are read, those with the last word at the end.'
        case 'bundle lint'
            echo 'Tell all mistakes in the files, or in some FILEs.'
        case 'bundle verify'
            echo 'Prove that hosts run what their role must run.'
        case 'pipeline'
            echo 'Show a pipeline of many organisations, and prove it.'
        case 'pipeline list'
            echo 'List the components of a pipeline in the order of the flow.'
        case 'pipeline show'
            echo 'Show everything that is known of a component, with its checks.'
        case 'pipeline graph'
            echo 'Draw a pipeline as a tree, or for Mermaid, Graphviz or a page.'
        case 'pipeline verify'
            echo 'Ask every component what only it knows, and lead with the causes.'
        case 'pipeline lint'
            echo 'Tell mistakes in the description, and what nobody watches.'
        case 'inventory'
            echo 'Show, check and edit hosts and groups.'
        case 'inventory list'
            echo 'List groups and hosts.'
        case 'inventory show'
            echo 'Show everything that holds for some hosts.'
        case 'inventory check'
            echo 'Connect to hosts, and tell for each how far one comes.'
        case 'inventory add'
            echo 'Add hosts to the inventory, or give more to those in it.'
        case 'inventory remove'
            echo 'Take hosts out of the inventory, its tables and its groups.'
        case 'inventory import'
            echo 'Take hosts and groups over from what other tools know.'
        case 'inventory export'
            echo 'Give the hosts and groups to another tool.'
        case 'inventory graph'
            echo 'Draw the groups with their hosts.'
        case 'config'
            echo 'Show how psops is set, and by what.'
        case 'config show'
            echo 'Show every setting with its value and what has set it.'
        case 'doctor'
            echo 'Find what keeps psops from its work on this machine.'
        case 'shell'
            echo 'Put completion and man pages where they are found.'
        case 'shell install'
            echo 'Link man pages and completion scripts into ~/.local/share.'
        case 'shell uninstall'
            echo 'Take the links of \'psops shell install\' away again.'
        case 'shell show'
            echo 'Print the completion script of a shell.'
        case 'bundle show --version'
            echo 'As it is in a version.'
        case 'history --failed'
            echo 'Runs that failed in part, or were not ended.'
        case 'logs -p'
            echo 'This and worse, as err or 3; or err..info.'
        case 'status -n'
            echo 'Log lines of each failed unit.'
        case 'logs -n' 'logs --lines'
            echo 'The last N of each unit and file.'
        case 'history -n'
            echo 'The last N runs.'
        case 'inventory add -n' 'inventory remove -n' 'inventory import -n' 'inventory add --dry-run' 'inventory remove --dry-run' 'inventory import --dry-run'
            echo 'Show the difference, write nothing.'
        case 'inventory add -g' 'inventory add --group'
            echo 'Put them there.'
        case 'inventory import -g' 'inventory import --group'
            echo 'Put all hosts into this group, too.'
        case 'unit write --user'
            echo 'As whom the daemons run.'
        case 'inventory add -i' 'inventory remove -i' 'inventory import -i' 'inventory add --inventory' 'inventory remove --inventory' 'inventory import --inventory'
            echo 'The inventory to edit.'
        case 'logs --fanout'
            echo 'Logins at once.'
        case 'start --timeout' 'stop --timeout' 'restart --timeout' 'try-restart --timeout' 'reload --timeout' 'reload-or-restart --timeout' 'enable --timeout' 'disable --timeout' 'reenable --timeout' 'mask --timeout'
            echo 'Time for each job.'
        case 'cron2daemon --timeout'
            echo 'Its time limit.'
        case 'pipeline graph --timeout' 'pipeline verify --timeout'
            echo 'Time for all of it.'
        case 'logs --sudo'
            echo 'Read by \'sudo -n journalctl\' and sftp-server.'
        case 'inventory add --sudo'
            echo 'Reach the bus through sudo.'
        case 'logs --format'
            echo 'text or jsonl.'
        case 'watch --format'
            echo 'lines or jsonl, as without a terminal; else a screen.'
        case 'cron2daemon --format'
            echo 'daemon, table, json or report.'
        case 'panda show --format' 'panda diff --format' 'panda simulate --format' 'rucio heartbeats --format'
            echo 'table or json.'
        case 'panda check --format' 'rucio verify --format' 'unit lint --format' 'psid verify --format' 'bundle verify --format' 'pipeline verify --format'
            echo 'table, json, junit, nagios ...'
        case 'logs --json'
            echo 'Short for --format jsonl.'
        case 'inventory add --json' 'inventory remove --json' 'inventory import --json'
            echo 'Tell as JSON what is done.'
        case 'logs --fold' 'logs --no-fold'
            echo 'Count what a host repeats (text does).'
        case 'logs -f'
            echo 'Go on with what comes, until Ctrl-C.'
        case 'history --since'
            echo 'Runs since then: 2026-11-20, \'2026-11-20 14:00\', 14:00, 2h, \'3d ago\', today, yesterday.'
        case 'inventory add --bundle'
            echo 'What should run there.'
        case 'inventory add -y' 'inventory remove -y' 'inventory import -y' 'inventory add --yes' 'inventory remove --yes' 'inventory import --yes'
            echo 'Write without a question.'
        case 'unit write --force'
            echo 'Replace files that say something else.'
        case 'psid verify --settle'
            echo 'A psid started later than this is joining.'
        case 'pipeline graph --verify'
            echo 'Verify first, and mark each component.'
        case 'panda show --servers'
            echo 'Servers that share the database.'
        case 'panda simulate --servers'
            echo 'Servers with it.'
        case 'pipeline lint --strict'
            echo 'A gap is a failure, too (exit 1).'
        case 'cron2daemon -o' 'cron2daemon --output'
            echo 'Write the result there instead.'
        case 'unit write -o' 'unit write --output'
            echo 'Write below this root, as / or a build\'s.'
        case 'pipeline graph -o' 'inventory export -o' 'inventory graph -o' 'pipeline graph --output' 'inventory export --output' 'inventory graph --output'
            echo 'Write it there.'
        case 'inventory import -o' 'inventory import --output'
            echo 'Make a new inventory there, or on -.'
        case 'inventory remove --from'
            echo 'Out of this group alone.'
        case 'bundle list --system'
            echo 'Only those of a system.'
        case 'inventory graph --as'
            echo 'tree, mermaid or dot.'
        case 'inventory export --port'
            echo 'Of Prometheus\' targets.'
        case '* --color'
            echo 'auto, always or never.'
        case '* --debug'
            echo 'Show where an error arose.'
        case '* --version'
            echo 'Show the version.'
        case '* -h' '* --help'
            echo 'Show this message and exit.'
        case '* --failed'
            echo 'Short for --state failed.'
        case '* --state'
            echo 'Only units in a load, active, sub state.'
        case '* -t' '* --type'
            echo 'Only service, timer, socket ...'
        case '* -p' '* --properties'
            echo 'Show these, as systemd names.'
        case '* -n' '* --dry-run'
            echo 'Show the calls, make none of them.'
        case '* --lines'
            echo 'Log lines of each failed unit.'
        case '* -H' '* --hosts'
            echo 'Hosts, as ps[01-20],gw or @group!ps07.'
        case '* -g' '* --group'
            echo 'Hosts of inventory groups, as a,b.'
        case '* -a' '* --all'
            echo 'All hosts of the inventory.'
        case '* -x' '* --exclude'
            echo 'Leave these out.'
        case '* -M' '* --machine'
            echo 'A container on this host.'
        case '* --user'
            echo 'The user\'s own systemd.'
        case '* -i' '* --inventory'
            echo 'Inventory, or \'demo\' for a made-up fleet.'
        case '* --fanout'
            echo 'Hosts at once.'
        case '* --connect-timeout'
            echo 'Time to log in.'
        case '* --timeout'
            echo 'Time to answer.'
        case '* --sudo'
            echo 'Reach the bus by \'sudo -n systemd-stdio-bridge\'.'
        case '* --accept-new-host-keys'
            echo 'Trust and keep keys of new hosts.'
        case '* -F' '* --ssh-config'
            echo 'Read this ssh configuration.'
        case '* --format'
            echo 'table, json or jsonl.'
        case '* --json'
            echo 'Short for --format json.'
        case '* --fold' '* --no-fold'
            echo 'Hosts with the same answer on one line (beyond 8 hosts).'
        case '* -f' '* --file'
            echo 'Read this, over what psops knows (repeatable).'
        case '* --follow'
            echo 'Go on with what comes, until Ctrl-C.'
        case '* --since'
            echo 'From then on: 2026-11-20, \'2026-11-20 14:00\', 14:00, 2h, \'3d ago\', today, yesterday.'
        case '* --until'
            echo 'Up to then.'
        case '* --priority'
            echo 'This and worse, as err or 3; or err..info.'
        case '* --grep'
            echo 'Only messages that match; case counts.'
        case '* --bundle'
            echo 'All daemons of a bundle.'
        case '* --source'
            echo 'journal, files or all.'
        case '* --initial'
            echo 'Lines: tell the first states, too.'
        case '* --for'
            echo 'End after this time.'
        case '* --read-only'
            echo 'Screen: no key changes anything.'
        case '* -y' '* --yes'
            echo 'Do not ask, however many hosts.'
        case '* --force'
            echo 'Change it though it is protected.'
        case '* --no-block'
            echo 'Do not wait for the jobs.'
        case '* --job-mode'
            echo 'As systemctl has it.'
        case '* --only'
            echo 'Not what goes along with these units.'
        case '* --settle'
            echo 'Watch what was started.'
        case '* --batch'
            echo 'Hosts at a time, as 1,5,25%.'
        case '* --canary'
            echo 'Try it on N hosts first.'
        case '* --pause'
            echo 'Between batches.'
        case '* --max-fail'
            echo 'End at so many failed hosts.'
        case '* --order'
            echo 'inventory or random.'
        case '* --verify'
            echo 'Worse by bundle verify is failed.'
        case '* --retry-failed'
            echo 'Finish the last run of this verb.'
        case '* --no-history'
            echo 'Keep no record.'
        case '* --now'
            echo 'Start, restart or stop them, too.'
        case '* --runtime'
            echo 'Only until the next boot.'
        case '* -s' '* --signal'
            echo 'Name or number.'
        case '* --kill-whom'
            echo 'all, main or control.'
        case '* --per-server'
            echo 'A crontab for each server, named as it.'
        case '* --servers'
            echo 'How many servers run them.'
        case '* --sync'
            echo 'On one server at a time; or a glob.'
        case '* --exclusive'
            echo 'The same; locked however short the period.'
        case '* --min-sync-period'
            echo 'No lock for --sync below it (60).'
        case '* --form'
            echo 'auto, system, user or acron.'
        case '* --dialect'
            echo 'common, debian or cronie.'
        case '* --zone'
            echo 'Of the crontabs\' times, as Europe/Zurich.'
        case '* --name-map'
            echo 'FROM is a name, program or FILE:LINE.'
        case '* --module'
            echo 'A daemon\'s module.'
        case '* --arguments'
            echo 'Its arguments, as for a shell.'
        case '* --period'
            echo 'Its period, whatever cron had.'
        case '* --gap'
            echo 'Which of unequal gaps, not the mean.'
        case '* --decisions'
            echo 'All this in TOML; the options are stronger.'
        case '* --strict'
            echo 'Exit with 1 for doubtful lines as well.'
        case '* -o' '* --output'
            echo 'Write the report there instead.'
        case '* --origins'
            echo 'A line for each attribute, with its origin.'
        case '* --env'
            echo 'The server\'s panda_server_env, or HOST:PATH.'
        case '* --release'
            echo 'Of panda-server, else the newest.'
        case '* --fail-on'
            echo 'warning or critical.'
        case '* --write'
            echo 'Change the file; else only show how.'
        case '* --update'
            echo 'Keep attributes that the new daemon does not name.'
        case '* --days'
            echo 'Days to simulate.'
        case '* --durations'
            echo 'Mean seconds by daemon, TOML or JSON.'
        case '* --duration'
            echo 'Mean seconds of the other daemons.'
        case '* --vary'
            echo 'Draw durations at random round the mean.'
        case '* --idle-loops'
            echo 'Scripts of loop daemons have no work.'
        case '* --n-proc'
            echo 'Workers; else as the file says.'
        case '* --offsets'
            echo 'When each server starts, in seconds.'
        case '* --seed'
            echo 'For all that is drawn at random.'
        case '* --against'
            echo 'Compare with cron; once, or for each server.'
        case '* --plot'
            echo 'Draw the first day into this file.'
        case '* --rest'
            echo 'Rucio\'s server, to read the heartbeats from.'
        case '* --token'
            echo 'Where its token is, as file:/root/token.'
        case '* --ca'
            echo 'PEM file of the authority to trust for it.'
        case '* --db-url'
            echo 'Where the database\'s URL is, instead.'
        case '* --db-schema'
            echo 'Schema with Rucio\'s tables.'
        case '* --units-only'
            echo 'Look at processes alone, at no heartbeats.'
        case '* --alias'
            echo 'Another hostname in heartbeats.'
        case '* --home'
            echo 'RUCIO_HOME on the hosts.'
        case '* --bin'
            echo 'Where the programs rucio-* are there.'
        case '* --deep'
            echo 'Let every node ask all others, not two of them.'
        case '* --vantage'
            echo 'Let these hosts ask all others.'
        case '* --wait'
            echo 'Look again while nodes disagree, for up to --settle.'
        case '* --psiadmin'
            echo 'The program on the hosts.'
        case '* --resolve'
            echo 'The file is an answer to \'psiadmin -d -c resolve\'.'
        case '* --from'
            echo 'Ask the psid of this host instead.'
        case '* --host'
            echo 'Runs on such a host.'
        case '* --unit'
            echo 'Runs that changed such a unit.'
        case '* --limit'
            echo 'The last N runs.'
        case '* --system'
            echo 'Which pipeline.'
        case '* --daemon'
            echo 'Show all there is about one daemon.'
        case '* --component'
            echo 'Show all there is about one component of a pipeline.'
        case '* --os'
            echo 'As it is on deb or el.'
        case '* --checks'
            echo 'units, all, or names of checks beside the units.'
        case '* --as'
            echo 'tree, mermaid, dot or svg.'
        case '* --window'
            echo 'Between two looks at a counter.'
        case '* --no-clock'
            echo 'Leave the clock, which starts systemd-timedated there.'
        case '* --max-skew'
            echo 'Another time than ours.'
        case '* --address'
            echo 'Where to connect to.'
        case '* --login'
            echo 'The user to log in as.'
        case '* --port'
            echo 'Of its sshd.'
        case '* --jump'
            echo 'Jump hosts, the first first.'
        case '* --transport'
            echo 'ssh, openssh, container ...'
        case '* --label'
            echo 'A word of your own.'
        case '* --prefix'
            echo 'Before the names of groups.'
        case '* --replace'
            echo 'Imported values beat those in the inventory.'
    end
end

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
