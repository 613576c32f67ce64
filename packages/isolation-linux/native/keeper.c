/*
 * The keeper of the guest's cgroups. It is the supervisor's child, hears
 * nothing but the supervisor, and ends when that one does, however it does:
 * then it removes the cgroups and goes. It has no host to die with, no signal
 * that it listens to, and no capability but the one that it takes to remove.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper.h"
#include "launch.h"
#include "range.h"

/* How long the last process of a guest may take to die. */
#define PATIENCE_MS 10000
/* How long the supervisor waits for it, whom somebody may have stopped: while the guest starts, and when it has ended. */
#define START_MS 10000
#define END_MS 1000
/* In its own process the socket has this number. */
#define SOCKET_FD 0

struct keeper {
	const struct options *options;
	struct cgroup groups[MOST_CGROUPS];
	size_t count;
	/*
	 * Each once, and before any untrusted code runs: whoever got hold of
	 * the supervisor later could harm every process of root's by them.
	 */
	bool has_moved;
	bool has_limited;
};

/* Of a keeper nobody hears why it cannot be: without it there are no cgroups, which is said. */
static void give_up_most(const struct keeper *keeper)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2] = { 0 };
	int parents[MOST_CGROUPS];

	for (size_t i = 0; i < keeper->count; i++)
		parents[i] = keeper->groups[i].parent;
	/* The root of a hierarchy may be written by nobody else, not even by root. */
	if (has_capability(CAP_DAC_OVERRIDE))
		sets[0].effective = sets[0].permitted =
			CAP_TO_MASK(CAP_DAC_OVERRIDE);
	if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_capset, &header, sets) != 0 ||
	    !filter_keeper(parents, keeper->count))
		_exit(EXIT_SETUP_FAILED);
}

static uint32_t move(struct keeper *keeper, pid_t guest)
{
	uint32_t layers = 0;

	for (size_t i = 0; i < keeper->count; i++) {
		struct cgroup *group = &keeper->groups[i];

		if (!move_to_cgroup(group, guest))
			continue;
		if (group->memory >= 0 && keeper->options->resident_mib > 0)
			layers |= LAYER_CGROUP_MEMORY;
		if (group->pids >= 0 &&
		    find_limit(keeper->options, RLIMIT_NPROC) != NULL)
			layers |= LAYER_CGROUP_PIDS;
	}
	return layers;
}

static uint32_t limit(const struct keeper *keeper)
{
	uint32_t layers = 0;

	for (size_t i = 0; i < keeper->count; i++)
		layers |= limit_cgroup(&keeper->groups[i], keeper->options);
	return layers;
}

static bool tell(const struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++)
		if (has_run_out_of_memory(&keeper->groups[i]))
			return true;
	return false;
}

static void obey(struct keeper *keeper)
{
	struct request request;
	ssize_t got;

	while ((got = read(SOCKET_FD, &request, sizeof(request))) ==
		       sizeof(request) ||
	       (got < 0 && errno == EINTR)) {
		struct answer answer = { .order = request.order };

		if (got < 0)
			continue;
		if (request.order == ORDER_TELL) {
			answer.layers = tell(keeper);
		} else if (request.order == ORDER_MOVE && !keeper->has_moved) {
			keeper->has_moved = true;
			answer.layers = move(keeper, request.value);
		} else if (request.order == ORDER_LIMIT &&
			   !keeper->has_limited) {
			keeper->has_limited = true;
			answer.layers = limit(keeper);
		}
		/* A supervisor that is gone is seen at the next read(). */
		if (send(SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			continue;
	}
}

static void remove_all(struct keeper *keeper)
{
	const int64_t end = now_ms() + PATIENCE_MS;

	for (int wait = 1;; wait = wait < 50 ? wait * 2 : wait) {
		bool is_gone = true;

		for (size_t i = 0; i < keeper->count; i++)
			is_gone &= remove_cgroup(&keeper->groups[i]);
		if (is_gone || now_ms() > end)
			return;
		poll(NULL, 0, wait);
	}
}

static _Noreturn void run_keeper(const struct options *options, int socket,
				 unsigned long namespace)
{
	struct keeper keeper = { .options = options };
	sigset_t all;

	/* The terminal's signals go to a session that this is not in. */
	sigfillset(&all);
	if (setsid() < 0 || sigprocmask(SIG_SETMASK, &all, NULL) != 0 ||
	    dup2(socket, SOCKET_FD) < 0 ||
	    syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0) != 0)
		_exit(EXIT_SETUP_FAILED);
	for (size_t i = 0; i < options->cgroup_count; i++)
		if (make_cgroup(&keeper.groups[keeper.count],
				&options->cgroups[i], namespace))
			keeper.count++;
	if (keeper.count == 0)
		_exit(0);
	give_up_most(&keeper);
	obey(&keeper);
	remove_all(&keeper);
	_exit(0);
}

void start_keeper(struct side *side, const struct options *options)
{
	/* Here and not there: the supervisor looks at its own directory of /proc later as well, and its first look costs. */
	unsigned long namespace;
	int sockets[2];
	pid_t pid;

	side->keeper = -1;
	if (options->cgroup_count == 0)
		return;
	/* Nothing depends on it, so a host that has no process left goes without. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return;
	namespace = own_namespace();
	pid = fork();
	if (pid == 0)
		run_keeper(options, sockets[1], namespace);
	close(sockets[1]);
	if (pid > 0)
		side->keeper = sockets[0];
	else
		close(sockets[0]);
}

void order_keeper(const struct side *side, enum order order, pid_t guest)
{
	const struct request request = { order, guest };

	if (side->keeper < 0)
		return;
	/* One that is gone does not answer. */
	send(side->keeper, &request, sizeof(request), MSG_NOSIGNAL);
}

uint32_t hear_keeper(struct side *side, enum order order)
{
	struct pollfd keeper = { side->keeper, POLLIN, 0 };
	struct answer answer;

	if (side->keeper < 0)
		return 0;
	if (poll(&keeper, 1, order == ORDER_TELL ? END_MS : START_MS) > 0 &&
	    read(side->keeper, &answer, sizeof(answer)) == sizeof(answer) &&
	    answer.order == order)
		return answer.layers;
	close(side->keeper);
	side->keeper = -1;
	side->has_lost_keeper = true;
	return 0;
}

bool end_keeper(const struct side *side)
{
	struct pollfd keeper = { side->keeper, 0, 0 };
	bool has_ended;

	if (side->keeper < 0)
		return !side->has_lost_keeper;
	shutdown(side->keeper, SHUT_WR);
	has_ended = poll(&keeper, 1, END_MS) > 0;
	close(side->keeper);
	return has_ended;
}
