/*
 * What the host is told: one JSON object a line. The supervisor never waits
 * for the host, so there is a queue of fixed size, and a violation that finds
 * no room or no token is counted instead of sent.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "line.h"

#define TRACE_ROOM (1024 * 1024)
#define DRAIN_MS 100
#define TELL_DROPPED_MS 100
#define HOLD_MS 100

static const char *const layer_names[] = {
	"user-ns",	  "mount-ns",
	"pid-ns",	  "net-ns",
	"ipc-ns",	  "uts-ns",
	"cgroup-ns",	  "no-nested-user-ns",
	"read-only-root", "no-capabilities",
	"no-new-privs",	  "seccomp-notify",
	"own-uid",	  "no-new-descriptors",
	"cgroup-memory",  "cgroup-pids",
};

int64_t now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void report_start(struct report *report, int fd)
{
	report->fd = fd;
	report->queue = report->few;
	report->room = sizeof(report->few);
}

bool report_much(struct report *report)
{
	char *queue = malloc(TRACE_ROOM);

	if (queue == NULL)
		return false;
	report->queue = queue;
	report->room = TRACE_ROOM;
	return true;
}

void send_queue(struct report *report)
{
	report->held_until_ms = 0;
	while (report->pending > 0) {
		ssize_t sent = send(report->fd, report->queue, report->pending,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		report->pending -= (size_t)sent;
		memmove(report->queue, report->queue + sent, report->pending);
	}
}

bool enqueue(struct report *report, struct line *line, size_t reserve)
{
	put(line, "}\n");
	if (report->pending + line->length + reserve > report->room)
		return false;
	memcpy(report->queue + report->pending, line->text, line->length);
	report->pending += line->length;
	/* It goes with this one. */
	report->held_until_ms = 0;
	return true;
}

static void say_dropped(struct report *report)
{
	struct line line = { 0 };

	put(&line, "{\"type\":\"dropped\",\"count\":");
	put_number(&line, report->dropped, 10);
	if (enqueue(report, &line, RESERVE / 2))
		report->dropped = 0;
	report->told_ms = now_ms();
}

int report_flush(struct report *report)
{
	int64_t wait = -1;

	if (report->dropped > 0) {
		wait = report->told_ms + TELL_DROPPED_MS - now_ms();
		if (wait <= 0) {
			say_dropped(report);
			wait = report->dropped > 0 ? TELL_DROPPED_MS : -1;
		}
	}
	if (report->held_until_ms > 0) {
		const int64_t left = report->held_until_ms - now_ms();

		if (left > 0)
			return (int)(wait < 0 || left < wait ? left : wait);
	}
	send_queue(report);
	return (int)wait;
}

bool report_waits(const struct report *report)
{
	return report->pending > 0 && report->held_until_ms == 0;
}

void report_drain(struct report *report)
{
	struct pollfd host = { .fd = report->fd, .events = POLLOUT };
	int64_t deadline = now_ms() + DRAIN_MS;

	if (report->dropped > 0)
		say_dropped(report);
	if (report->missed > 0)
		say_missed(report);
	for (send_queue(report); report->pending > 0; send_queue(report)) {
		int64_t left = deadline - now_ms();

		if (left <= 0 || poll(&host, 1, (int)left) <= 0 ||
		    (host.revents & (POLLERR | POLLHUP)) != 0)
			return;
	}
}

void report_setup_failed(struct report *report, const char *stage,
			 const char *verb, const char *operand, int error,
			 const char *hint)
{
	struct line line = { 0 };
	char reason[3000] = "Cannot ";
	size_t room = sizeof(reason) - 1;

	strncat(reason, verb, room - strlen(reason));
	if (operand[0] != '\0') {
		strncat(reason, " ", room - strlen(reason));
		strncat(reason, operand, room - strlen(reason));
	}
	if (error != 0) {
		strncat(reason, ": ", room - strlen(reason));
		strncat(reason, strerror(error), room - strlen(reason));
	}
	if (hint[0] != '\0') {
		strncat(reason, ". ", room - strlen(reason));
		strncat(reason, hint, room - strlen(reason));
	}
	put(&line, "{\"type\":\"setup-failed\",\"stage\":");
	put_string(&line, stage, 64);
	put(&line, ",\"reason\":");
	put_string(&line, reason, MAX_LINE - 256);
	enqueue(report, &line, 0);
	report_drain(report);
}

void report_ready(struct report *report, const struct world *world,
		  uint32_t layers, uint32_t landlock)
{
	struct line line = { 0 };
	const char *comma = "";

	put(&line, "{\"type\":\"ready\",\"tier\":");
	put_string(&line, tier_name(world->tier), 64);
	put(&line, ",\"because\":[");
	for (int tier = 0; tier < (int)world->tier; tier++) {
		put(&line, comma);
		put_string(&line, world->because[tier], 2000);
		comma = ",";
	}
	comma = "";
	put(&line, world->is_verified ? "],\"verified\":true" :
					"],\"verified\":false");
	put(&line, ",\"layers\":[");
	for (size_t i = 0; i < sizeof(layer_names) / sizeof(*layer_names);
	     i++) {
		if ((layers & (1u << i)) == 0)
			continue;
		put(&line, comma);
		put_string(&line, layer_names[i], 64);
		comma = ",";
	}
	if (landlock > 0) {
		put(&line, ",\"landlock-");
		put_number(&line, landlock, 10);
		put(&line, "\"");
	}
	put(&line, "]");
	/* The lock follows while node boots, and the host, who waits for that, wakes up once for both. */
	if (enqueue(report, &line, 0))
		report->held_until_ms = now_ms() + HOLD_MS;
}

void report_locked(struct report *report, uint64_t continued)
{
	struct line line = { 0 };

	put(&line, "{\"type\":\"locked\",\"continued\":");
	put_number(&line, continued, 10);
	enqueue(report, &line, 0);
	send_queue(report);
}

void report_limit(struct report *report, const char *limit)
{
	struct line line = { 0 };

	put(&line, "{\"type\":\"limit\",\"limit\":");
	put_string(&line, limit, 64);
	enqueue(report, &line, 0);
	send_queue(report);
}

static int64_t in_ms(struct timeval time)
{
	return time.tv_sec * 1000 + time.tv_usec / 1000;
}

static uint32_t cpu_ms_of(const struct rusage *usage)
{
	return (uint32_t)(in_ms(usage->ru_utime) + in_ms(usage->ru_stime));
}

void report_usage(struct report *report, const struct rusage *usage)
{
	struct line line = { 0 };

	put(&line, "{\"type\":\"usage\",\"cpuMs\":");
	put_number(&line, cpu_ms_of(usage), 10);
	put(&line, ",\"peakMemoryKiB\":");
	put_number(&line, (uint64_t)usage->ru_maxrss, 10);
	enqueue(report, &line, 0);
}
