/* What comes over the control socket. */
#ifndef CONFINE_PLAN_H
#define CONFINE_PLAN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_VIOLATION 1 /* to be reported, not just refused */
#define RULE_LOCKS 2	 /* may be what asks for the lock */
#define RULE_LOOKS 4	 /* changes nothing: some paths are harmless */
#define RULE_ANY 0xff	 /* no argument to compare, or no path */

/* How a notified call is answered once the guest is locked. */
struct rule {
	uint16_t number;
	uint8_t flags;
	uint8_t path;	      /* index of the argument that is a path */
	uint16_t error;	      /* the answer */
	uint16_t quiet_error; /* the answer when the path is harmless */
	uint32_t value;	      /* the rule holds for this low word ... */
	uint8_t argument;     /* ... of this argument */
	uint8_t reserved[3];
};

#define RULE_NUMBERS 1024

struct plan {
	struct sock_fprog filter;
	struct rule *rules; /* sorted by number; the last one is for the rest */
	size_t rule_count;
	uint16_t first[RULE_NUMBERS]; /* number -> index of its first rule */
	char *harmless; /* paths, each ended by a zero byte, then one more */
};

/* Blocks until the host has sent it. Returns NULL, or what is wrong. */
const char *read_plan(int control, struct plan *plan);
const struct rule *find_rule(const struct plan *plan, int number,
			     const uint64_t *arguments);
bool is_harmless(const struct plan *plan, const char *path);

#endif
