/* What librdkafka alone does: counts the messages and bytes of a topic, to the end of every partition.
 *
 *     consume BROKER TOPIC PARTITIONS [NAME=VALUE…]
 *
 * NAME=VALUE are settings of librdkafka. Each partition has a queue of its own, as with streamplat's readers; with one queue for
 * all it takes longer and more CPU.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 1024 };

static void fail(const char *what, const char *why) {
    fprintf(stderr, "consume: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *settings, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(settings, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
}

static long long total, bytes;
static int ended;

static void count(rd_kafka_message_t **messages, ssize_t taken) {
    if (taken < 0) fail("consume", rd_kafka_err2str(rd_kafka_last_error()));
    for (ssize_t index = 0; index < taken; index++) {
        if (messages[index]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended++;
        else if (messages[index]->err != 0) fail("message", rd_kafka_message_errstr(messages[index]));
        else total++, bytes += (long long)messages[index]->len;
        rd_kafka_message_destroy(messages[index]);
    }
}

int main(int given, char **arguments) {
    if (given < 4) fail("usage", "consume BROKER TOPIC PARTITIONS [NAME=VALUE...]");
    const int partitions = atoi(arguments[3]);
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    set(settings, "bootstrap.servers", arguments[1]);
    set(settings, "enable.partition.eof", "true");
    /* noida-db answers a fetch with all that it has, whatever fetch.max.bytes says. */
    set(settings, "receive.message.max.bytes", "2147483647");
    for (int index = 4; index < given; index++) {
        char *value = strchr(arguments[index], '=');
        if (value == NULL) fail(arguments[index], "is not NAME=VALUE");
        *value++ = 0;
        set(settings, arguments[index], value);
    }
    char why[512];
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, settings, why, sizeof why);
    if (kafka == NULL) fail("librdkafka", why);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[2], NULL);
    for (int partition = 0; partition < partitions; partition++) {
        /* Told to begin at the beginning, it may wait half a second before it asks again where that is. */
        int64_t first, next;
        const rd_kafka_resp_err_t unknown = rd_kafka_query_watermark_offsets(kafka, arguments[2], partition, &first, &next, 10000);
        if (unknown != 0) fail("offsets", rd_kafka_err2str(unknown));
        if (rd_kafka_consume_start(topic, partition, first) != 0) fail("start", rd_kafka_err2str(rd_kafka_last_error()));
    }

    static rd_kafka_message_t *messages[AT_ONCE];
    while (ended < partitions) {
        ssize_t round = 0;
        for (int partition = 0; partition < partitions; partition++) {
            const ssize_t taken = rd_kafka_consume_batch(topic, partition, 0, messages, AT_ONCE);
            const int before = ended;
            count(messages, taken);
            /* noida-db answers at once that there is nothing more, and would be asked again and again. */
            if (ended > before) rd_kafka_consume_stop(topic, partition);
            round += taken;
        }
        if (round == 0) usleep(1000);
    }
    printf("%lld %lld\n", total, bytes);
    /* Connections and memory go with the process. */
    return 0;
}
