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
#include "supervise.h"

/* Init has asked for the time a moment before the guest ended. */
#define CPU_DOUBT_MS 50

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

static _Noreturn void end_like(int status)
{
	if (WIFSIGNALED(status))
		die_of(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
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
		supervisor->ticks_ms = packet.ticks_ms;
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

/* The limits are held by the kernel, which does not say which one it was. */
static bool has_used_its_cpu_time(const struct supervisor *supervisor)
{
	const struct limit *limit =
		find_limit(supervisor->notifier.options, RLIMIT_CPU);

	return limit != NULL && WIFSIGNALED(supervisor->status) &&
	       WTERMSIG(supervisor->status) == SIGKILL &&
	       supervisor->ticks_ms + CPU_DOUBT_MS >= limit->value * 1000;
}

/* Everything of the guest is dead: says the last of it, and goes. */
static void say_end(struct supervisor *supervisor)
{
	struct report *report = supervisor->side->report;
	struct rusage usage;

	while (hear_packet(supervisor, supervisor->side->init_socket))
		;
	/* What init has waited for counts as its own. If it was killed, it has waited for nobody. */
	if (supervisor->has_ended && getrusage(RUSAGE_CHILDREN, &usage) == 0)
		report_usage(report, &usage);
	report_drain(report);
}

/* Ends the guest for a reason of the supervisor's own. */
static _Noreturn void end_guest(struct supervisor *supervisor, int number)
{
	announce(supervisor);
	end_init(supervisor->side);
	say_end(supervisor);
	die_of(number);
}

static void hear_call(struct supervisor *supervisor)
{
	struct notifier *notifier = &supervisor->notifier;

	switch (answer_call(notifier)) {
	case VERDICT_LOCKED:
		announce(supervisor);
		limit_cgroups(supervisor);
		limit_memory(supervisor->side, &supervisor->watch,
			     notifier->options);
		if (notifier->options->is_sealed)
			forbid_descriptors(supervisor->side, notifier->guest);
		answer_lock(notifier);
		report_locked(supervisor->side->report, notifier->continued);
		break;
	case VERDICT_KILL:
		end_guest(supervisor, SIGSYS);
	case VERDICT_ANSWERED:
		break;
	}
}

static void hear_signal(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->ears->signals, &info, sizeof(info)) !=
	    sizeof(info))
		return;
	end_guest(supervisor, (int)info.ssi_signo);
}

/* The guest has ended by itself, or somebody has ended it. */
static _Noreturn void hear_end(struct supervisor *supervisor)
{
	bool has_none_left;

	announce(supervisor);
	has_none_left = is_out_of_memory(supervisor);
	wait_for_init(supervisor->side);
	if (!supervisor->is_ready) {
		errno = 0;
		fail(supervisor->side, STAGE_EXEC, "start the program: it",
		     "ended while it was being started");
	}
	if (has_none_left)
		report_limit(supervisor->side->report, "memory");
	else if (has_used_its_cpu_time(supervisor))
		report_limit(supervisor->side->report, "cpu");
	say_end(supervisor);
	end_like(supervisor->status);
}

/* Init is gone without a word about the guest: there is only its own end. */
static _Noreturn void hear_init_end(struct supervisor *supervisor)
{
	int status;

	announce(supervisor);
	status = wait_for_init(supervisor->side);

	if (!supervisor->is_ready) {
		errno = 0;
		fail(supervisor->side, STAGE_SUPERVISE,
		     "keep init running:", "somebody ended it");
	}
	say_end(supervisor);
	if (WIFSIGNALED(status))
		end_like(status);
	die_of(SIGKILL);
}

/* How long nothing has to be done, milliseconds; -1: until something happens. */
static int do_what_is_due(struct supervisor *supervisor)
{
	int flush = report_flush(supervisor->side->report);
	int look = look_at_memory(&supervisor->watch);

	if (look == 0) {
		report_limit(supervisor->side->report, "memory");
		end_guest(supervisor, SIGKILL);
	}
	if (flush < 0 || look < 0)
		return flush < 0 ? look : flush;
	return flush < look ? flush : look;
}

/* Each round hears everybody: a guest that floods the listener cannot hide the rest. */
static void hear_once(struct supervisor *supervisor)
{
	const struct ears *ears = supervisor->ears;
	struct report *report = supervisor->side->report;
	struct pollfd polls[] = {
		{ ears->signals, POLLIN, 0 },
		{ report->fd, POLLIN, 0 },
		{ supervisor->side->init_socket, POLLIN, 0 },
		{ supervisor->exec, POLLIN, 0 },
		{ supervisor->notifier.listener, POLLIN, 0 },
		{ supervisor->side->init_pidfd, POLLIN, 0 },
		{ supervisor->is_announced ? -1 : supervisor->side->keeper,
		  POLLIN, 0 },
	};
	int timeout = do_what_is_due(supervisor);

	if (report_waits(report))
		polls[1].events |= POLLOUT;
	if (poll(polls, sizeof(polls) / sizeof(*polls), timeout) < 0) {
		if (errno == EINTR)
			return;
		fail(supervisor->side, STAGE_SUPERVISE, "wait for", "events");
	}
	if (polls[0].revents != 0)
		hear_signal(supervisor);
	if ((polls[1].revents & ~POLLOUT) != 0)
		/* The host says nothing after the plan: whatever comes is its end. */
		end_guest(supervisor, SIGKILL);
	/* Init before the guest's side, whose last word makes it ready; the end after both. */
	if (polls[2].revents != 0 || polls[3].revents != 0) {
		while (hear_packet(supervisor, supervisor->side->init_socket))
			;
		while (supervisor->exec >= 0 &&
		       hear_packet(supervisor, supervisor->exec))
			;
	}
	if (supervisor->has_ended)
		hear_end(supervisor);
	/* The program's first call comes after exec(), whichever of them poll() saw. */
	if ((polls[4].revents & POLLIN) != 0 && supervisor->exec >= 0)
		while (hear_packet(supervisor, supervisor->exec))
			;
	if ((polls[4].revents & POLLIN) != 0)
		hear_call(supervisor);
	else if (polls[4].revents != 0)
		/* Nobody is left behind the filter; init is about to say so. */
		supervisor->notifier.listener = -1;
	if (polls[6].revents != 0)
		announce(supervisor);
	if (polls[5].revents != 0)
		hear_init_end(supervisor);
}

void supervise(struct side *side, const struct options *options,
	       const struct plan *plan, struct world *world,
	       const struct ears *ears)
{
	struct supervisor supervisor = {
		.ears = ears,
		.side = side,
		.world = world,
		.layers = world->layers,
		.notifier = {
			.options = options,
			.plan = plan,
			.side = side,
			.listener = -1,
			.crowd = { .tasks = -1 },
			.is_alone = world->tier == TIER_BARE,
		},
		.watch = { .statm = -1 },
		.exec = ears->exec,
	};

	for (;;)
		hear_once(&supervisor);
}
