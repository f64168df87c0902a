"""The names in the catalogue that psops brings: a Tab has no time to read it.

Written by python -m psops.cli.generate; changes are lost.
"""

NAMES = {
    "bundles": """
        panda-server panda parastation-node parastation parastation-frontend tools perfsonar-tools
        testpoint perfsonar-testpoint archive perfsonar-archive core perfsonar-core grafana
        perfsonar-grafana psconfig-publisher perfsonar-psconfig-publisher psconfig-web-admin pwa
        perfsonar-psconfig-web-admin toolkit perfsonar-toolkit opensearch-dashboards
        perfsonar-dashboards psconfig-hostmetrics perfsonar-psconfig-hostmetrics rucio-minimal
        rucio-daemons rucio
    """.split(),
    "daemons": """
        panda panda_daemon panda_httpd panda_mcp panda_jedi psid psidstarter munge postgresql web
        pscheduler-ticker pscheduler-scheduler pscheduler-runner pscheduler-archiver
        psconfig-pscheduler-agent perfsonar-lsregistrationdaemon owamp-server twamp-server time
        firewalld node_exporter perfsonar-host-exporter rsyslog opensearch logstash elmond
        opensearch-dashboards psconfig-hostmetrics-agent grafana-server psconfig-grafana-agent
        perfsonar-configdaemon perfsonar-configure_nic_parameters perfsonar-generate_motd fail2ban
        auto-updates systemd-resolved pwa-api pwa-cache pwa-publisher pwa-auth mongod
        rucio-abacus-account rucio-abacus-collection-replica rucio-abacus-rse rucio-atropos
        rucio-auditor rucio-automatix rucio-bb8 rucio-c3po rucio-cache-client rucio-cache-consumer
        rucio-conveyor-finisher rucio-conveyor-fts-throttler rucio-conveyor-poller
        rucio-conveyor-poller-latest rucio-conveyor-preparer rucio-conveyor-receiver
        rucio-conveyor-stager rucio-conveyor-submitter rucio-conveyor-throttler
        rucio-conveyor-transfer-submitter rucio-dark-reaper rucio-dumper rucio-follower rucio-hermes
        rucio-hermes2 rucio-hermes-legacy rucio-judge-cleaner rucio-judge-evaluator
        rucio-judge-injector rucio-judge-repairer rucio-kronos rucio-light-reaper rucio-minos
        rucio-minos-temporary-expiration rucio-necromancer rucio-oauth-manager rucio-reaper
        rucio-reaper2 rucio-replica-recoverer rucio-rse-decommissioner rucio-sonar
        rucio-sonar-distribution rucio-storage-consistency-actions rucio-transmogrifier
        rucio-undertaker
    """.split(),
    "components": """
        toolkit pwa psetf maddash pscollector rabbitmq activemq bridge esnet lhcopn ingest-uc
        ingest-unl es-uc es-unl archiver uploader fnal-tape monit-es grafana lhcb
    """.split(),
    "systems": """
        panda parastation perfsonar rucio sand
    """.split(),
    "units": """
        apache2.service apt-daily-upgrade.timer chrony.service chronyd.service
        dnf-automatic-install.timer dnf-automatic.timer elmond.service fail2ban.service
        firewalld.service grafana-server.service httpd.service logstash.service mongod.service
        mongodb.service munge.service node_exporter.service ntp.service ntpd.service ntpsec.service
        openntpd.service opensearch-dashboards.service opensearch.service owamp-server.service
        panda.service panda_daemon.service panda_httpd.service panda_jedi.service panda_mcp.service
        parastation.service perfsonar-configdaemon.service
        perfsonar-configure_nic_parameters.service perfsonar-generate_motd.service
        perfsonar-host-exporter.service perfsonar-lsregistrationdaemon.service
        perfsonar-psconfig-web-admin-api.service perfsonar-psconfig-web-admin-auth.service
        perfsonar-psconfig-web-admin-cache.service perfsonar-psconfig-web-admin-publisher.service
        perfsonar-toolkit-config-daemon.service postgresql.service prometheus-node-exporter.service
        pscheduler-archiver.service pscheduler-runner.service pscheduler-scheduler.service
        pscheduler-ticker.service psconfig-grafana-agent.service psconfig-hostmetrics-agent.service
        psconfig-pscheduler-agent.service psid.service psidstarter.socket rsyslog.service
        rucio-abacus-account.service rucio-abacus-collection-replica.service
        rucio-abacus-rse.service rucio-atropos.service rucio-auditor.service rucio-automatix.service
        rucio-bb8.service rucio-c3po.service rucio-cache-consumer.service
        rucio-conveyor-finisher.service rucio-conveyor-fts-throttler.service
        rucio-conveyor-poller-latest.service rucio-conveyor-poller.service
        rucio-conveyor-preparer.service rucio-conveyor-receiver.service
        rucio-conveyor-stager.service rucio-conveyor-submitter.service
        rucio-conveyor-throttler.service rucio-conveyor-transfer-submitter.service
        rucio-daemon@abacus-account.service rucio-daemon@abacus-collection-replica.service
        rucio-daemon@abacus-rse.service rucio-daemon@atropos.service rucio-daemon@auditor.service
        rucio-daemon@automatix.service rucio-daemon@bb8.service rucio-daemon@c3po.service
        rucio-daemon@cache-consumer.service rucio-daemon@conveyor-finisher.service
        rucio-daemon@conveyor-fts-throttler.service rucio-daemon@conveyor-poller-latest.service
        rucio-daemon@conveyor-poller.service rucio-daemon@conveyor-preparer.service
        rucio-daemon@conveyor-receiver.service rucio-daemon@conveyor-stager.service
        rucio-daemon@conveyor-submitter.service rucio-daemon@conveyor-throttler.service
        rucio-daemon@conveyor-transfer-submitter.service rucio-daemon@dark-reaper.service
        rucio-daemon@follower.service rucio-daemon@hermes-legacy.service rucio-daemon@hermes.service
        rucio-daemon@hermes2.service rucio-daemon@judge-cleaner.service
        rucio-daemon@judge-evaluator.service rucio-daemon@judge-injector.service
        rucio-daemon@judge-repairer.service rucio-daemon@kronos.service
        rucio-daemon@light-reaper.service rucio-daemon@minos-temporary-expiration.service
        rucio-daemon@minos.service rucio-daemon@necromancer.service
        rucio-daemon@oauth-manager.service rucio-daemon@reaper.service rucio-daemon@reaper2.service
        rucio-daemon@replica-recoverer.service rucio-daemon@rse-decommissioner.service
        rucio-daemon@sonar-distribution.service rucio-daemon@sonar.service
        rucio-daemon@storage-consistency-actions.service rucio-daemon@transmogrifier.service
        rucio-daemon@undertaker.service rucio-dark-reaper.service rucio-follower.service
        rucio-hermes-legacy.service rucio-hermes.service rucio-hermes2.service
        rucio-judge-cleaner.service rucio-judge-evaluator.service rucio-judge-injector.service
        rucio-judge-repairer.service rucio-kronos.service rucio-light-reaper.service
        rucio-minos-temporary-expiration.service rucio-minos.service rucio-necromancer.service
        rucio-oauth-manager.service rucio-reaper.service rucio-reaper2.service
        rucio-replica-recoverer.service rucio-rse-decommissioner.service
        rucio-sonar-distribution.service rucio-sonar.service
        rucio-storage-consistency-actions.service rucio-transmogrifier.service
        rucio-undertaker.service systemd-resolved.service systemd-timesyncd.service
        twamp-server.service
    """.split(),
}
