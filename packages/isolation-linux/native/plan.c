/*
 * The part of the policy that does not fit argv: the guest's filter, the
 * answers to the calls that the filter hands to the supervisor, and the paths
 * that node itself likes to look at. src/plan.ts writes it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter.h"
#include "launch.h"

#define PLAN_MAGIC 0x31464e43 /* CNF1 */
#define MAX_RULES 4096
#define MAX_HARMLESS_BYTES 65536
#define MAX_ERROR 133 /* EHWPOISON, the last one */

struct header {
	uint32_t magic;
	uint32_t arch;
	uint32_t instructions;
	uint32_t rules;
	uint32_t harmless_bytes;
};

static bool read_all(int fd, void *bytes, size_t size)
{
	for (char *at = bytes; size > 0;) {
		ssize_t got = read(fd, at, size);

		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

static bool is_rule_sound(const struct rule *rule)
{
	return rule->error >= 1 && rule->error <= MAX_ERROR &&
	       rule->quiet_error >= 1 && rule->quiet_error <= MAX_ERROR &&
	       (rule->path < 6 || rule->path == RULE_ANY) &&
	       (rule->argument < 6 || rule->argument == RULE_ANY) &&
	       (rule->flags & ~(RULE_VIOLATION | RULE_LOCKS | RULE_LOOKS)) ==
		       0 &&
	       (rule->path != RULE_ANY ||
		(rule->flags & (RULE_LOCKS | RULE_LOOKS)) == 0);
}

/* Checks the rules and notes where those of each number begin. */
static bool index_rules(struct plan *plan)
{
	size_t rest = plan->rule_count - 1;

	for (size_t i = 0; i < RULE_NUMBERS; i++)
		plan->first[i] = (uint16_t)rest;
	for (size_t i = 0; i < plan->rule_count; i++) {
		const struct rule *rule = &plan->rules[i];

		if (!is_rule_sound(rule))
			return false;
		if (i == rest)
			return rule->argument == RULE_ANY;
		if (rule->number >= RULE_NUMBERS ||
		    (i > 0 && rule->number < plan->rules[i - 1].number))
			return false;
		if (plan->first[rule->number] == rest)
			plan->first[rule->number] = (uint16_t)i;
	}
	return false;
}

static const char *read_parts(int control, struct plan *plan)
{
	struct header header;

	if (!read_all(control, &header, sizeof(header)))
		return "it ended early";
	if (header.magic != PLAN_MAGIC)
		return "it is no plan, or one of another version";
	if (header.arch != NATIVE_ARCH)
		return "it was made for another architecture";
	if (header.instructions < 1 || header.instructions > BPF_MAXINSNS ||
	    header.rules < 1 || header.rules > MAX_RULES ||
	    header.harmless_bytes < 1 ||
	    header.harmless_bytes > MAX_HARMLESS_BYTES)
		return "one of its sizes is out of bounds";

	plan->filter.len = (unsigned short)header.instructions;
	plan->filter.filter =
		calloc(header.instructions, sizeof(*plan->filter.filter));
	plan->rule_count = header.rules;
	plan->rules = calloc(header.rules, sizeof(*plan->rules));
	plan->harmless = calloc(header.harmless_bytes, 1);
	if (plan->filter.filter == NULL || plan->rules == NULL ||
	    plan->harmless == NULL)
		return "there is no memory for it";
	if (!read_all(control, plan->filter.filter,
		      header.instructions * sizeof(*plan->filter.filter)) ||
	    !read_all(control, plan->rules,
		      header.rules * sizeof(*plan->rules)) ||
	    !read_all(control, plan->harmless, header.harmless_bytes))
		return "it ended early";
	if (!index_rules(plan))
		return "one of its rules is unsound";
	/* An empty string ends the list: one zero byte, or two. */
	if (plan->harmless[header.harmless_bytes - 1] != '\0' ||
	    (header.harmless_bytes > 1 &&
	     plan->harmless[header.harmless_bytes - 2] != '\0'))
		return "its list of paths has no end";
	return NULL;
}

const char *read_plan(int control, struct plan *plan)
{
	const char *wrong = read_parts(control, plan);
	char rest[4096];

	/* What nobody has read when this process ends would tear the socket, and the reason with it. */
	while (wrong != NULL &&
	       recv(control, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	return wrong;
}

const struct rule *find_rule(const struct plan *plan, int number,
			     const uint64_t *arguments)
{
	const struct rule *rest = &plan->rules[plan->rule_count - 1];
	const struct rule *rule;

	if (number < 0 || number >= RULE_NUMBERS)
		return rest;
	for (rule = &plan->rules[plan->first[number]];
	     rule < rest && rule->number == number; rule++)
		if (rule->argument == RULE_ANY ||
		    (uint32_t)arguments[rule->argument] == rule->value)
			return rule;
	return rest;
}

/*
 * An entry with a slash at its end stands for all that is below it. An empty
 * path asks about a descriptor that the guest has anyway.
 */
bool is_harmless(const struct plan *plan, const char *path)
{
	const char *entry;

	if (path[0] == '\0')
		return true;
	for (entry = plan->harmless; *entry; entry += strlen(entry) + 1) {
		size_t length = strlen(entry);

		if (strcmp(path, entry) == 0)
			return true;
		if (entry[length - 1] == '/' &&
		    strncmp(path, entry, length) == 0 &&
		    strstr(path, "..") == NULL)
			return true;
	}
	return false;
}
