/*
 * What the host is told about the guest's system calls: violations and traces.
 * There may be any number of them, so what exceeds a rate is counted only.
 */
#include "launch.h"
#include "line.h"

/* A guest may commit this many violations at once, and this many a second, before some are only counted. */
#define MAX_TOKENS 1024
#define TOKENS_PER_SECOND 256
/* The same for calls that are traced. */
#define MAX_TRACE_TOKENS 16384
#define TRACE_TOKENS_PER_SECOND 8192
#define MAX_TRACE_TEXT 512
#define MAX_PATH_TEXT 4096

static bool take_token(struct bucket *bucket, uint64_t most,
		       uint64_t per_second)
{
	int64_t now = now_ms();

	/* The first time it is full: the clock stood at zero long ago. */
	bucket->tokens += (uint64_t)(now - bucket->refilled_ms) * per_second;
	bucket->refilled_ms = now;
	if (bucket->tokens > most * 1000)
		bucket->tokens = most * 1000;
	if (bucket->tokens < 1000)
		return false;
	bucket->tokens -= 1000;
	return true;
}

/* Returns whether there was room. */
static bool send_trace(struct report *report, struct line *line)
{
	if (report->missed > 0) {
		put(line, ",\"missed\":");
		put_number(line, report->missed, 10);
	}
	if (!enqueue(report, line, 2 * RESERVE))
		return false;
	report->missed = 0;
	return true;
}

void say_missed(struct report *report)
{
	struct line line = { 0 };

	put(&line, "{\"type\":\"trace\"");
	send_trace(report, &line);
}

static void put_call(struct line *line, const struct call *call)
{
	put(line, ",\"number\":");
	put_number(line, (unsigned int)call->number, 10);
	put(line, ",\"arguments\":[");
	for (int i = 0; i < 6; i++) {
		put(line, i > 0 ? ",\"0x" : "\"0x");
		put_number(line, call->arguments[i], 16);
		put(line, "\"");
	}
	put(line, "]");
}

void report_violation(struct report *report, const struct call *call, bool kill)
{
	struct line line = { 0 };

	if (!kill &&
	    !take_token(&report->violations, MAX_TOKENS, TOKENS_PER_SECOND)) {
		report->dropped++;
		return;
	}
	put(&line, "{\"type\":\"violation\"");
	put_call(&line, call);
	put(&line, kill ? ",\"action\":\"kill\"" : ",\"action\":\"deny\"");
	if (call->path != NULL) {
		put(&line, ",\"path\":");
		if (!put_string(&line, call->path, MAX_PATH_TEXT))
			put(&line, ",\"truncated\":true");
	}
	if (!enqueue(report, &line, kill ? 0 : RESERVE))
		report->dropped++;
	send_queue(report);
}

void report_trace(struct report *report, const struct call *call,
		  enum fate fate, int error)
{
	static const char *const fates[] = { "done", "failed", "locked",
					     "killed" };
	struct line line = { 0 };

	if (!take_token(&report->traces, MAX_TRACE_TOKENS,
			TRACE_TOKENS_PER_SECOND)) {
		report->missed++;
		return;
	}
	put(&line, "{\"type\":\"trace\"");
	put_call(&line, call);
	put(&line, ",\"thread\":");
	put_number(&line, (uint64_t)call->caller, 10);
	put(&line, ",\"fate\":");
	put_string(&line, fates[fate], 16);
	put(&line, ",\"error\":");
	put_number(&line, (uint64_t)error, 10);
	if (call->path != NULL) {
		put(&line, ",\"path\":");
		put_string(&line, call->path, MAX_TRACE_TEXT);
	}
	if (call->data != NULL) {
		put(&line, ",\"data\":");
		put_bytes(&line, call->data, call->data_size, MAX_TRACE_TEXT);
	}
	/* Sent with the rest of the round. */
	if (!send_trace(report, &line))
		report->missed++;
}
