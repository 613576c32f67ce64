/* argv -> struct options. Nothing else is read but a limit of this process: no environment, no file. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"

static const struct {
	const char *name;
	int resource;
} limit_names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "stack", RLIMIT_STACK },
};

/* Absolute, without ".", "..", empty components and a slash at the end. */
static bool is_plain_path(const char *path)
{
	if (path[0] != '/' || path[1] == '\0' || strlen(path) >= PATH_MAX)
		return false;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if (length == 0 || length > NAME_MAX)
			return false;
		if (path[0] == '.' &&
		    (length == 1 || (length == 2 && path[1] == '.')))
			return false;
		path += length;
	}
	return true;
}

static bool read_number(const char *text, rlim_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

/* At least one, and no more than 64 bits can count in bytes. */
static bool read_mebibytes(const char *text, uint64_t *mebibytes)
{
	rlim_t value;

	if (!read_number(text, &value) || value < 1 || value >> 43 != 0)
		return false;
	*mebibytes = value;
	return true;
}

/* No more than the kernel has: from -20 to 19. */
static bool read_nice(const char *text, int *nice)
{
	rlim_t value;

	if (!read_number(text, &value) || value > 39)
		return false;
	*nice = (int)value;
	return true;
}

/* NAME=VALUE */
static bool read_limit(const char *text, struct options *options)
{
	size_t length = strcspn(text, "=");
	struct limit *limit = &options->limits[options->limit_count];

	if (text[length] != '=' || options->limit_count == RLIM_NLIMITS)
		return false;
	for (size_t i = 0; i < sizeof(limit_names) / sizeof(*limit_names);
	     i++) {
		if (strlen(limit_names[i].name) != length ||
		    memcmp(limit_names[i].name, text, length) != 0)
			continue;
		limit->resource = limit_names[i].resource;
		options->limit_count++;
		return read_number(text + length + 1, &limit->value);
	}
	return false;
}

const struct limit *find_limit(const struct options *options, int resource)
{
	for (size_t i = 0; i < options->limit_count; i++)
		if (options->limits[i].resource == resource)
			return &options->limits[i];
	return NULL;
}

/*
 * The guest gets one less than this process may have, which keeps a number for
 * the launcher that the guest cannot come to. Returns false without a limit.
 */
static bool place_handover(struct options *options)
{
	struct rlimit own;

	for (size_t i = 0; i < options->limit_count; i++) {
		struct limit *limit = &options->limits[i];

		if (limit->resource != RLIMIT_NOFILE)
			continue;
		if (limit->value > MOST_DESCRIPTORS ||
		    getrlimit(RLIMIT_NOFILE, &own) != 0)
			return false;
		if (limit->value >= own.rlim_max)
			limit->value = own.rlim_max - 1;
		options->handover = (int)limit->value;
		return limit->value > CONTROL_FD;
	}
	return false;
}

static bool read_cgroup_kind(const char *text, enum cgroup_kind *kind)
{
	static const char *const names[] = {
		[CGROUP_MEMORY] = "memory",
		[CGROUP_PIDS] = "pids",
		[CGROUP_SECOND] = "v2",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], text) == 0)
			return *kind = (enum cgroup_kind)i, true;
	return false;
}

/* KIND DIRECTORY */
static bool read_cgroup(char **values, struct options *options)
{
	struct cgroup_parent *parent = &options->cgroups[options->cgroup_count];

	if (options->cgroup_count == MOST_CGROUPS || values[1] == NULL ||
	    !read_cgroup_kind(values[0], &parent->kind) ||
	    !is_plain_path(values[1]))
		return false;
	parent->path = values[1];
	options->cgroup_count++;
	return true;
}

/* Reads one option and its values. Returns how many arguments it took, 0: it is wrong. */
static int read_option(char **argument, struct options *options)
{
	const char *name = argument[0];
	const char *value = argument[1];
	struct place *place = &options->places[options->place_count];

	if (strcmp(name, "--trace") == 0)
		return options->trace = true, 1;
	if (value == NULL)
		return 0;
	if (strcmp(name, "--bind") == 0)
		place->kind = PLACE_READ;
	else if (strcmp(name, "--bind-exec") == 0)
		place->kind = PLACE_EXEC;
	else if (strcmp(name, "--link") == 0)
		place->kind = PLACE_LINK;
	else if (strcmp(name, "--empty") == 0)
		place->kind = PLACE_EMPTY;
	else if (strcmp(name, "--read") == 0)
		place->kind = PLACE_GRANT_READ;
	else if (strcmp(name, "--write") == 0)
		place->kind = PLACE_GRANT_WRITE;
	else if (strcmp(name, "--scratch") == 0)
		return read_mebibytes(value, &options->scratch_mib) ? 2 : 0;
	else if (strcmp(name, "--rlimit") == 0)
		return read_limit(value, options) ? 2 : 0;
	else if (strcmp(name, "--memory") == 0)
		return read_mebibytes(value, &options->resident_mib) ? 2 : 0;
	else if (strcmp(name, "--data") == 0)
		return read_mebibytes(value, &options->data_mib) ? 2 : 0;
	else if (strcmp(name, "--nice") == 0)
		return read_nice(value, &options->nice) ? 2 : 0;
	else if (strcmp(name, "--descriptors") == 0)
		return options->is_sealed = strcmp(value, "none") == 0,
		       options->is_sealed || strcmp(value, "some") == 0 ? 2 : 0;
	else if (strcmp(name, "--cgroup") == 0)
		return read_cgroup(argument + 1, options) ? 3 : 0;
	else if (strcmp(name, "--hostname") == 0)
		return options->hostname = value, strlen(value) <= 64 ? 2 : 0;
	else if (strcmp(name, "--lock") == 0)
		return options->lock_path = value, is_plain_path(value) ? 2 : 0;
	else if (strcmp(name, "--on-violation") == 0)
		return options->kill = strcmp(value, "kill") == 0,
		       options->kill || strcmp(value, "deny") == 0 ? 2 : 0;
	else
		return 0;

	place->path = value;
	place->tree = -1;
	options->place_count++;
	if (!is_plain_path(value))
		return 0;
	if (place->kind != PLACE_LINK)
		return 2;
	place->target = argument[2];
	return place->target != NULL && is_plain_path(place->target) ? 3 : 0;
}

const char *read_options(int argc, char **argv, struct options *options)
{
	int at = 1;

	options->kill = true;
	options->places = calloc((size_t)argc + 1, sizeof(*options->places));
	if (options->places == NULL)
		return strerror(errno);
	while (at < argc && strcmp(argv[at], "--") != 0) {
		int taken = read_option(argv + at, options);

		if (taken == 0)
			return argv[at];
		at += taken;
	}
	if (at + 1 >= argc || argv[at + 1][0] != '/')
		return "-- (the absolute path of a program must follow)";
	if (options->lock_path == NULL)
		return "--lock (it is missing)";
	if (!place_handover(options))
		return "--rlimit (nofile=N is needed, 65536 at most)";
	options->command = argv + at + 1;
	return NULL;
}
