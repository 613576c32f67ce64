/*
 * Seccomp user notification: this process is the supervisor of its own child,
 * which inherits the filter and makes one call.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "probe.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif
#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1ul << 1)
#endif

#define ANSWER_MS 1000

/* A later kernel may have longer structs than the headers. */
union request {
	struct seccomp_notif call;
	char room[512];
};

union response {
	struct seccomp_notif_resp answer;
	char room[512];
};

/* Named as in the header of Linux 5.9, under a name of our own. */
struct added_descriptor {
	uint64_t id;
	uint32_t flags;
	uint32_t srcfd;
	uint32_t newfd;
	uint32_t newfd_flags;
};

#define IOCTL_ADD_DESCRIPTOR SECCOMP_IOW(3, struct added_descriptor)

/* What the child got from its call. */
enum expected { EXPECT_PLANTED_ERROR, EXPECT_SUCCESS, EXPECT_DESCRIPTOR };

static _Noreturn void call(enum expected expected)
{
	long result = syscall(GUINEA_PIG, 0);
	bool is_good = false;

	switch (expected) {
	case EXPECT_PLANTED_ERROR:
		is_good = result == -1 && errno == PLANTED_ERROR;
		break;
	case EXPECT_SUCCESS:
		is_good = result >= 0;
		break;
	case EXPECT_DESCRIPTOR:
		is_good = result >= 0 && fcntl((int)result, F_GETFD) >= 0;
		break;
	}
	_exit(is_good ? 0 : 1);
}

static pid_t start_caller(struct trial *trial, enum expected expected)
{
	const pid_t self = getpid();
	pid_t pid = fork();

	if (pid < 0)
		give_up(trial, "fork");
	if (pid == 0) {
		/* Or it would wait for ever: it holds the listener, too. */
		die_with_parent(self);
		call(expected);
	}
	return pid;
}

/* Installs the filter, starts the caller and takes its call. */
static int receive(struct trial *trial, unsigned int flags,
		   enum expected expected, pid_t *caller, uint64_t *id)
{
	struct seccomp_notif_sizes sizes;
	union request request = { 0 };
	struct pollfd poller = { .events = POLLIN };

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
		give_up(trial, "sizes");
	if (sizes.seccomp_notif > sizeof(request) ||
	    sizes.seccomp_notif_resp > sizeof(union response))
		give_up_for(trial, "sizes", EOVERFLOW);
	poller.fd =
		install_filter(trial, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags,
			       SECCOMP_RET_USER_NOTIF);
	*caller = start_caller(trial, expected);
	if (poll(&poller, 1, ANSWER_MS) != 1)
		give_up_for(trial, "receive", ETIMEDOUT);
	if (ioctl(poller.fd, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
		give_up(trial, "receive");
	*id = request.call.id;
	return poller.fd;
}

static void answer(struct trial *trial, int listener, uint64_t id, int error,
		   uint32_t flags)
{
	union response response = { 0 };

	response.answer.id = id;
	response.answer.error = -error;
	response.answer.flags = flags;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0)
		give_up(trial, "answer");
}

/* Its caller ends when the listener is closed, so nothing waits for ever. */
static void await(struct trial *trial, pid_t caller)
{
	int status;

	while (waitpid(caller, &status, 0) < 0)
		if (errno != EINTR)
			give_up(trial, "wait");
	if (status != 0)
		give_up_for(trial, "enforce", 0);
}

static void answer_under(struct trial *trial, unsigned int flags)
{
	uint64_t id;
	pid_t caller;
	int listener =
		receive(trial, flags, EXPECT_PLANTED_ERROR, &caller, &id);

	answer(trial, listener, id, PLANTED_ERROR, 0);
	await(trial, caller);
}

void answer_call(struct trial *trial)
{
	answer_under(trial, 0);
}

void answer_call_killably(struct trial *trial)
{
	answer_under(trial, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

void continue_call(struct trial *trial)
{
	uint64_t id;
	pid_t caller;
	int listener = receive(trial, 0, EXPECT_SUCCESS, &caller, &id);

	answer(trial, listener, id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	await(trial, caller);
}

void add_descriptor(struct trial *trial)
{
	struct added_descriptor added = {
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.newfd_flags = O_CLOEXEC,
	};
	pid_t caller;
	int listener = receive(trial, 0, EXPECT_DESCRIPTOR, &caller, &added.id);

	added.srcfd = (uint32_t)listener;
	if (ioctl(listener, IOCTL_ADD_DESCRIPTOR, &added) < 0)
		give_up(trial, "add");
	await(trial, caller);
}
