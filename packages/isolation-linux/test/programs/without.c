/*
 * Starts a program on a machine that lacks things, by a filter that answers
 * as real machines do:
 *
 *   without PRIMITIVE[,PRIMITIVE...] -- PROGRAM ARGUMENT...
 *
 *   user-namespaces  none for anybody: EPERM, and ENOSYS from clone3()
 *   namespaces       no new ones at all, as in Docker without CAP_SYS_ADMIN
 *   mount            EPERM for every mount call, old or new, as in Docker
 *   new-mount-api    a kernel before 5.2: ENOSYS
 *   mount-setattr    a kernel before 5.12: ENOSYS
 *   landlock         a kernel before 5.13: ENOSYS
 *   landlock-at-boot a kernel whose lsm= lacks it: EOPNOTSUPP
 *   landlock-by-profile  a container profile that does not know it: EPERM
 *   seccomp          a kernel without CONFIG_SECCOMP
 *   seccomp-notify   EINVAL, as gVisor and kernels before 5.0 answer
 *   wait-killable    a kernel before 5.19: EINVAL
 *   pidfd            a kernel before 5.3: ENOSYS
 *   close-range      a kernel before 5.9: ENOSYS
 *   process-memory   EPERM, as Yama at its strictest
 *   ptrace           EPERM
 *   leaving-terminals  EPERM, as a profile may have it
 *
 * Root keeps what it is, so that setpriv can follow; everybody else has to set
 * no_new_privs. What cannot be told by a call's number and its arguments is
 * not here: cgroups are files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#define SYS_fspick 433
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif

#define ANY_NAMESPACE 0x7e020000u
#define EXIT_FAILED 125

enum condition { ALWAYS, HAS_BITS, IS };

/* Calls of this number fail with this errno, when the argument is so. */
struct rule {
  const char *primitive;
  int number;
  int error;
  enum condition condition;
  int argument;
  uint32_t value;
};

static const struct rule rules[] = {
    {"user-namespaces", SYS_clone, EPERM, HAS_BITS, 0, CLONE_NEWUSER},
    {"user-namespaces", SYS_unshare, EPERM, HAS_BITS, 0, CLONE_NEWUSER},
    {"user-namespaces", SYS_clone3, ENOSYS, ALWAYS, 0, 0},

    {"namespaces", SYS_clone, EPERM, HAS_BITS, 0, ANY_NAMESPACE},
    {"namespaces", SYS_unshare, EPERM, ALWAYS, 0, 0},
    {"namespaces", SYS_setns, EPERM, ALWAYS, 0, 0},
    {"namespaces", SYS_clone3, ENOSYS, ALWAYS, 0, 0},

    {"mount", SYS_mount, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_umount2, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_pivot_root, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_open_tree, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_move_mount, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_fsopen, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_fsconfig, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_fsmount, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_fspick, EPERM, ALWAYS, 0, 0},
    {"mount", SYS_mount_setattr, EPERM, ALWAYS, 0, 0},

    {"new-mount-api", SYS_open_tree, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_move_mount, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_fsopen, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_fsconfig, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_fsmount, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_fspick, ENOSYS, ALWAYS, 0, 0},
    {"new-mount-api", SYS_mount_setattr, ENOSYS, ALWAYS, 0, 0},
    {"mount-setattr", SYS_mount_setattr, ENOSYS, ALWAYS, 0, 0},

    {"landlock", SYS_landlock_create_ruleset, ENOSYS, ALWAYS, 0, 0},
    {"landlock", SYS_landlock_add_rule, ENOSYS, ALWAYS, 0, 0},
    {"landlock", SYS_landlock_restrict_self, ENOSYS, ALWAYS, 0, 0},
    {"landlock-at-boot", SYS_landlock_create_ruleset, EOPNOTSUPP, ALWAYS, 0, 0},
    {"landlock-at-boot", SYS_landlock_add_rule, EOPNOTSUPP, ALWAYS, 0, 0},
    {"landlock-at-boot", SYS_landlock_restrict_self, EOPNOTSUPP, ALWAYS, 0, 0},

    {"landlock-by-profile", SYS_landlock_create_ruleset, EPERM, ALWAYS, 0, 0},
    {"landlock-by-profile", SYS_landlock_add_rule, EPERM, ALWAYS, 0, 0},
    {"landlock-by-profile", SYS_landlock_restrict_self, EPERM, ALWAYS, 0, 0},

    {"seccomp", SYS_seccomp, ENOSYS, ALWAYS, 0, 0},
    {"seccomp", SYS_prctl, EINVAL, IS, 0, PR_SET_SECCOMP},
    {"seccomp-notify", SYS_seccomp, EINVAL, HAS_BITS, 1,
     SECCOMP_FILTER_FLAG_NEW_LISTENER},
    {"seccomp-notify", SYS_seccomp, EINVAL, IS, 0, SECCOMP_GET_NOTIF_SIZES},
    {"wait-killable", SYS_seccomp, EINVAL, HAS_BITS, 1,
     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},

    {"pidfd", SYS_pidfd_open, ENOSYS, ALWAYS, 0, 0},
    {"pidfd", SYS_pidfd_send_signal, ENOSYS, ALWAYS, 0, 0},
    {"pidfd", SYS_pidfd_getfd, ENOSYS, ALWAYS, 0, 0},
    {"close-range", SYS_close_range, ENOSYS, ALWAYS, 0, 0},
    {"process-memory", SYS_process_vm_readv, EPERM, ALWAYS, 0, 0},
    {"process-memory", SYS_process_vm_writev, EPERM, ALWAYS, 0, 0},
    {"ptrace", SYS_ptrace, EPERM, ALWAYS, 0, 0},
    {"leaving-terminals", SYS_ioctl, EPERM, IS, 1, TIOCNOTTY},
};

#define RULES (sizeof(rules) / sizeof(*rules))
#define INSTRUCTIONS (5 + 5 * RULES)

/* Whether a comma-separated list has this word. */
static bool names(const char *list, const char *word) {
  size_t length = strlen(word);

  for (const char *at = list; *at != '\0';) {
    size_t part = strcspn(at, ",");

    if (part == length && memcmp(at, word, length) == 0)
      return true;
    at += part + (at[part] == ',');
  }
  return false;
}

/* The first word that no rule is about, NULL: there is none. */
static const char *find_unknown(const char *list) {
  for (const char *at = list; *at != '\0';) {
    size_t part = strcspn(at, ",");
    bool known = false;

    for (size_t i = 0; i < RULES; i++)
      known |= strlen(rules[i].primitive) == part &&
               memcmp(rules[i].primitive, at, part) == 0;
    if (!known)
      return at;
    at += part + (at[part] == ',');
  }
  return NULL;
}

static void put(struct sock_fprog *program, uint16_t code, uint32_t k,
                uint8_t jump_true, uint8_t jump_false) {
  program->filter[program->len++] =
      (struct sock_filter){code, jump_true, jump_false, k};
}

/* The number is loaded before and after. */
static void put_rule(struct sock_fprog *program, const struct rule *rule) {
  const uint16_t test = rule->condition == IS ? BPF_JEQ : BPF_JSET;
  const uint32_t answer = SECCOMP_RET_ERRNO | (uint32_t)rule->error;

  if (rule->condition == ALWAYS) {
    put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->number, 0, 1);
    put(program, BPF_RET | BPF_K, answer, 0, 0);
    return;
  }
  put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->number, 0, 4);
  /* The low word, which comes first on both architectures. */
  put(program, BPF_LD | BPF_W | BPF_ABS,
      (uint32_t)offsetof(struct seccomp_data, args) +
          8 * (uint32_t)rule->argument,
      0, 0);
  put(program, BPF_JMP | test | BPF_K, rule->value, 0, 1);
  put(program, BPF_RET | BPF_K, answer, 0, 0);
  put(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0,
      0);
}

static bool install(const struct sock_fprog *program) {
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == 0)
    return true;
  return errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == 0;
}

/*
 * 1. Read argv; refuse a word that is not known.
 * 2. Write the filter: the rules of the named primitives, in order.
 * 3. Install it, with no_new_privs where the kernel asks for it.
 * 4. Execute the program.
 */
int main(int argc, char **argv) {
  struct sock_filter instructions[INSTRUCTIONS];
  struct sock_fprog program = {0, instructions};
  const char *unknown;

  if (argc < 4 || strcmp(argv[2], "--") != 0) {
    fprintf(stderr,
            "usage: without PRIMITIVE[,PRIMITIVE...] -- PROGRAM ARGUMENT...\n");
    return EXIT_FAILED;
  }
  unknown = find_unknown(argv[1]);
  if (unknown != NULL) {
    fprintf(stderr, "without: there is no such primitive: %s\n", unknown);
    return EXIT_FAILED;
  }

  put(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch),
      0, 0);
  put(&program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
  put(&program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  put(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0,
      0);
  for (size_t i = 0; i < RULES; i++)
    if (names(argv[1], rules[i].primitive))
      put_rule(&program, &rules[i]);
  put(&program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);

  if (!install(&program)) {
    perror("without: Cannot install the filter");
    return EXIT_FAILED;
  }
  execvp(argv[3], argv + 3);
  fprintf(stderr, "without: Cannot execute %s: %s\n", argv[3], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
