/*
 * The supervisor's loop. It ends in one way only: the guest and everything it
 * started is dead and waited for, and then this process ends as the guest did.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

struct supervisor {
	const struct ears *ears;
	const struct side *side;
	struct notifier notifier;
	uint32_t layers;
	uint32_t landlock;
	bool is_handed_over; /* the listener is here */
	bool is_ready;	     /* the program runs */
	bool has_ended;	     /* the guest, and how */
	int status;
	int exec;	     /* -1 once the guest's side has closed it */
};

/* Ends this process by a signal. */
static _Noreturn void die_of(int number)
{
	sigset_t all;

	signal(number, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	kill(getpid(), number);
	_exit(128 + number);
}

static _Noreturn void end_like(const struct supervisor *supervisor, int status)
{
	report_drain(supervisor->side->report);
	if (WIFSIGNALED(status))
		die_of(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

/* The program runs: from here on the supervisor needs little, and keeps no more. */
static void become_ready(struct supervisor *supervisor)
{
	forbid_new_privileges(supervisor->side);
	drop_capabilities(supervisor->side);
	filter_supervisor(supervisor->side);
	supervisor->is_ready = true;
	report_ready(supervisor->side->report, supervisor->layers,
		     supervisor->landlock);
}

static _Noreturn void hear_end(const struct supervisor *supervisor)
{
	end_init(supervisor->side, false);
	if (!supervisor->is_ready) {
		errno = 0;
		fail(supervisor->side, STAGE_EXEC, "start the program: it",
		     "ended while it was being started");
	}
	end_like(supervisor, supervisor->status);
}

/* Returns how many bytes came, 0 at the end of the socket, -1: nothing is there. */
static ssize_t receive(int socket, struct packet *packet, int *descriptor)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec body = { packet, sizeof(*packet) };
	struct msghdr message = {
		.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *header;
	ssize_t got =
		recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*descriptor = -1;
	header = CMSG_FIRSTHDR(&message);
	if (got > 0 && header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(descriptor, CMSG_DATA(header), sizeof(int));
	return got;
}

/* Takes one packet of init or of the guest's side. Returns whether there was one. */
static bool hear_packet(struct supervisor *supervisor, int socket)
{
	struct packet packet;
	int descriptor;
	ssize_t got = receive(socket, &packet, &descriptor);

	if (got == 0 && socket == supervisor->exec) {
		/* exec() has closed it, or the guest's side is dead: init will tell. */
		supervisor->exec = -1;
		if (supervisor->is_handed_over)
			become_ready(supervisor);
	}
	if (got <= 0)
		return false;
	packet.verb[sizeof(packet.verb) - 1] = '\0';
	packet.operand[sizeof(packet.operand) - 1] = '\0';
	if (got != sizeof(packet) || packet.stage >= STAGE_COUNT) {
		errno = EPROTO;
		fail(supervisor->side, STAGE_SUPERVISE, "understand", "init");
	}
	if (packet.kind == PACKET_FAILED)
		fail_for(supervisor->side, &packet);
	if (packet.kind == PACKET_ENDED) {
		supervisor->has_ended = true;
		supervisor->status = (int)packet.value;
		return true;
	}
	supervisor->layers |= packet.value;
	supervisor->landlock |= packet.landlock;
	if (descriptor >= 0) {
		supervisor->notifier.listener = descriptor;
		supervisor->is_handed_over = true;
		stay_on_one_cpu(descriptor);
	}
	return true;
}

static void hear_call(struct supervisor *supervisor)
{
	struct report *report = supervisor->side->report;

	switch (answer_call(&supervisor->notifier)) {
	case VERDICT_LOCKED:
		report_locked(report, supervisor->notifier.continued);
		break;
	case VERDICT_KILL:
		end_init(supervisor->side, true);
		report_drain(report);
		die_of(SIGSYS);
	case VERDICT_ANSWERED:
		break;
	}
}

static void hear_signal(const struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->ears->signals, &info, sizeof(info)) !=
	    sizeof(info))
		return;
	end_init(supervisor->side, true);
	report_drain(supervisor->side->report);
	die_of((int)info.ssi_signo);
}

/* The host says nothing after the plan: whatever comes is its end. */
static _Noreturn void hear_host(const struct supervisor *supervisor)
{
	end_init(supervisor->side, true);
	die_of(SIGKILL);
}

static _Noreturn void hear_init_end(const struct supervisor *supervisor)
{
	int status = end_init(supervisor->side, false);

	if (!supervisor->is_ready) {
		errno = 0;
		fail(supervisor->side, STAGE_SUPERVISE, "keep init running:",
		     "somebody ended it");
	}
	/* Without its word about the guest there is only its own end. */
	if (WIFSIGNALED(status))
		end_like(supervisor, status);
	die_of(SIGKILL);
}

/* Each round hears everybody: a guest that floods the listener cannot hide the rest. */
static void hear_once(struct supervisor *supervisor)
{
	const struct ears *ears = supervisor->ears;
	struct report *report = supervisor->side->report;
	struct pollfd polls[] = {
		{ ears->signals, POLLIN, 0 },
		{ report->fd, POLLIN, 0 },
		{ ears->init, POLLIN, 0 },
		{ supervisor->exec, POLLIN, 0 },
		{ supervisor->notifier.listener, POLLIN, 0 },
		{ supervisor->side->init_pidfd, POLLIN, 0 },
	};
	int timeout = report_flush(report);

	if (report->pending > 0)
		polls[1].events |= POLLOUT;
	if (poll(polls, sizeof(polls) / sizeof(*polls), timeout) < 0) {
		if (errno == EINTR)
			return;
		fail(supervisor->side, STAGE_SUPERVISE, "wait for", "events");
	}
	if (polls[0].revents != 0)
		hear_signal(supervisor);
	if ((polls[1].revents & ~POLLOUT) != 0)
		hear_host(supervisor);
	/* Init before the guest's side, whose last word makes it ready; the end after both. */
	if (polls[2].revents != 0 || polls[3].revents != 0) {
		while (hear_packet(supervisor, ears->init))
			;
		while (supervisor->exec >= 0 &&
		       hear_packet(supervisor, supervisor->exec))
			;
	}
	if (supervisor->has_ended)
		hear_end(supervisor);
	if ((polls[4].revents & POLLIN) != 0)
		hear_call(supervisor);
	else if (polls[4].revents != 0)
		/* Nobody is left behind the filter; init is about to say so. */
		supervisor->notifier.listener = -1;
	if (polls[5].revents != 0)
		hear_init_end(supervisor);
}

void supervise(const struct side *side, const struct options *options,
	       const struct plan *plan, const struct ears *ears)
{
	struct supervisor supervisor = {
		.ears = ears,
		.side = side,
		.notifier = {
			.options = options,
			.plan = plan,
			.side = side,
			.listener = -1,
		},
		.exec = ears->exec,
	};

	for (;;)
		hear_once(&supervisor);
}
