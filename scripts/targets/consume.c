/* What librdkafka alone does: counts the messages and bytes of a topic, to the end of every partition.
 *
 *     consume BROKER TOPIC PARTITIONS
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 1024 };

static void fail(const char *what, const char *why) {
    fprintf(stderr, "consume: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *settings, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(settings, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage", "consume BROKER TOPIC PARTITIONS");
    const int partitions = atoi(arguments[3]);
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    set(settings, "bootstrap.servers", arguments[1]);
    set(settings, "enable.partition.eof", "true");
    /* noida-db answers a fetch with all that it has, whatever fetch.max.bytes says. */
    set(settings, "receive.message.max.bytes", "2147483647");
    /* By default it waits a second whenever 100,000 messages are there. */
    set(settings, "queued.min.messages", "10000000");
    set(settings, "queued.max.messages.kbytes", "1000000");
    char why[512];
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, settings, why, sizeof why);
    if (kafka == NULL) fail("librdkafka", why);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[2], NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    for (int partition = 0; partition < partitions; partition++)
        if (rd_kafka_consume_start_queue(topic, partition, RD_KAFKA_OFFSET_BEGINNING, queue) != 0)
            fail("start", rd_kafka_err2str(rd_kafka_last_error()));

    static rd_kafka_message_t *messages[AT_ONCE];
    long long total = 0, bytes = 0;
    for (int ended = 0; ended < partitions;) {
        const ssize_t taken = rd_kafka_consume_batch_queue(queue, 1000, messages, AT_ONCE);
        if (taken < 0) fail("consume", rd_kafka_err2str(rd_kafka_last_error()));
        for (ssize_t index = 0; index < taken; index++) {
            if (messages[index]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended++;
            else if (messages[index]->err != 0) fail("message", rd_kafka_message_errstr(messages[index]));
            else total++, bytes += (long long)messages[index]->len;
            rd_kafka_message_destroy(messages[index]);
        }
    }
    printf("%lld %lld\n", total, bytes);
    /* Connections and memory go with the process. */
    return 0;
}
