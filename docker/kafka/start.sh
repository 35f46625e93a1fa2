#!/bin/sh
# Start one Kafka node, with server.properties and log4j2.yaml from the folder that this script lies in.
#
# KAFKA_FOO_BAR in the environment becomes foo.bar, as in the official image: _ is a dot, __ an underscore, ___ a dash.
# LIBS: the jars. DATA: the data, formatted when it is empty. CONF: the file to write the whole configuration to.
# CLUSTER_ID: 16 bytes as URL-safe base64. FORMAT_OPTS: more words for the formatting. JAVA_OPTS: for the broker.
set -euf
umask 077 # the configuration may hold passwords

here=$(dirname "$0")
libs=${LIBS:-$here/libs}
data=${DATA:-/var/lib/kafka}
conf=${CONF:-/tmp/server.properties}

{
    cat "$here/server.properties"
    printf 'log.dirs=%s\n' "$data"
    awk 'BEGIN {
        for (name in ENVIRON) {
            if (name !~ /^KAFKA_./) continue
            key = tolower(substr(name, 7)); value = ENVIRON[name]
            gsub(/___/, "-", key); gsub(/__/, "\001", key); gsub(/_/, ".", key); gsub(/\001/, "_", key)
            gsub(/\\/, "\\\\&", value); gsub(/\n/, "\\n", value)
            print key "=" value
        }
    }'
} >"$conf"

if [ ! -f "$data/meta.properties" ]; then
    # shellcheck disable=SC2086 # a list of words
    java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$libs/*" kafka.tools.StorageTool format \
        --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$conf" ${FORMAT_OPTS:-}
fi
# shellcheck disable=SC2086 # a list of words
exec java ${JAVA_OPTS:--Xmx512m -XX:+UseSerialGC} -Dlog4j2.configurationFile="$here/log4j2.yaml" \
    -cp "$libs/*" kafka.Kafka "$conf"
