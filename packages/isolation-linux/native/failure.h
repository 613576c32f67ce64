/* How each of the three processes says what it could not do. */
#ifndef CONFINE_FAILURE_H
#define CONFINE_FAILURE_H

#include <stdbool.h>

#include "report.h"

enum stage {
	STAGE_OPTIONS,
	STAGE_PLAN,
	STAGE_NAMESPACES,
	STAGE_IDENTITY,
	STAGE_ROOT,
	STAGE_PRIVILEGES,
	STAGE_LANDLOCK,
	STAGE_SECCOMP,
	STAGE_EXEC,
	STAGE_SUPERVISE,
	STAGE_VERIFY,
	STAGE_COUNT,
};

enum packet_kind {
	PACKET_FAILED = 1,
	PACKET_LAYERS, /* from the guest's side it carries the listener */
	PACKET_ENDED,  /* value: the guest's wait status */
};

/* What init and the guest's side tell the supervisor. */
struct packet {
	uint32_t kind;
	uint32_t stage;
	int32_t error;
	uint32_t value;
	uint32_t landlock;
	uint32_t ticks_ms; /* of PACKET_ENDED: what RLIMIT_CPU counts */
	char verb[64];
	char operand[300];
};

/* Which process this is, so that a failure finds its way to the host. */
struct side {
	struct report *report; /* the supervisor */
	pid_t init;	       /* the supervisor, once it has one */
	int init_pidfd;
	int init_socket;
	int keeper; /* the supervisor's socket to it, -1: there is none */
	bool has_lost_keeper; /* any more */
	int socket;	      /* init and the guest's side */
};

/* What the user can do about a failure, or nothing. */
const char *hint_for(const struct packet *packet);
/* "Cannot <verb> <operand>: <errno>" and the end of this process. */
_Noreturn void fail(const struct side *side, enum stage stage, const char *verb,
		    const char *operand);
/* The supervisor's part of it, for the failures of the other two. */
_Noreturn void fail_for(const struct side *side, const struct packet *packet);
void send_packet(const struct side *side, const struct packet *packet);

#endif
