/**
 * Where each rule comes from: profiles that ship, and issues in which somebody ran one on a Mac. Apple documents none of the
 * language. Facts were taken from these, no text.
 */
export const sources = Object.freeze({
  'chromium-common': 'chromium/chromium, sandbox/policy/mac/common.sb: every process of Chrome',
  'chromium-renderer': 'chromium/chromium, sandbox/policy/mac/renderer.sb: V8 in a sandbox',
  'chromium-gpu': 'chromium/chromium, sandbox/policy/mac/gpu_v2.sb: denials that send a signal',
  webkit: 'WebKit/WebKit, Source/WebKit/WebProcess/com.apple.WebProcess.sb.in; repeats parts of Apple’s system.sb',
  srt: 'anthropic-experimental/sandbox-runtime, src/sandbox/macos-sandbox-utils.ts: runs Node under sandbox-exec',
  codex: 'openai/codex, codex-rs/sandboxing/src/*.sbpl and seatbelt.rs: runs Node under sandbox-exec',
  ladybird: 'LadybirdBrowser/ladybird, Libraries/LibSandbox/Sandbox.cpp: (deny default (with send-signal SIGSYS)), system call list',
  original: 'confine-sandbox 0.3.3, lib/index.js: Node under sandbox-exec; needed the cwd and the ancestors of the runtime',
  'ai-jail-77': 'akitaonrails/ai-jail#77: macOS 26.5 ends every program with SIGABRT unless it may read /',
  'quadwork-1141': 'realproject7/quadwork#1141: file-read-data of / is what dyld needs; metadata is not enough',
  'node-62230': 'nodejs/node#62230: Node 24 does not start when openssl.cnf is refused; ENOENT is fine, EPERM and EACCES are not',
  'codex-28894': 'openai/codex#28894: that file is /System/Library/OpenSSL/openssl.cnf for Node 24 on macOS',
  'zero-296': 'Gitlawb/zero#296: what a Homebrew node needs: bin, Cellar, opt, their ancestors, file-map-executable',
  'zero-302': 'Gitlawb/zero#302: metadata and existence of the ancestors, by path-ancestors',
  'cco-38': 'nikvdp/cco#38: realpathSync of Node calls lstat on every ancestor and throws EPERM',
  'nix-5888': 'NixOS/nix#5888: dyld reads its cache below /System/Library/dyld',
  'h5i-387': 'h5i-dev/h5i#387, crates/h5i-sandbox/src/seatbelt.rs: a program without /dev/dtracehelper died before main()',
  'firefox-map': 'A. Gaynor, “The mysterious case of (deny dynamic-code-generation)”: mapping code is allowed unless it is denied',
  'firefox-utility': 'mozilla-central, security/sandbox/mac/SandboxPolicyUtility.h: a process that may look up no log and no user database',
  'nix-defaults':
    'NixOS/nix, src/libstore/sandbox-defaults.sb: runs Node under Seatbelt with one service, “Allow getpwuid”; denies file-write-setugid',
  'sbpl-vim': 'the operations that file-write* stands for, as lists of the language for editors give them',
  'link-denials':
    'profiles that ship with (deny file-link file-clone) and (deny file-write-create (vnode-type SYMLINK)), Firefox’s plugin process among them',
  'srt-moves': 'anthropic-experimental/sandbox-runtime: renaming a directory takes what is in it out of a rule about its path',
  'nono-20': 'nolabs-ai/nono 0.2.2, CHANGELOG: process-info of others shows their command lines',
  v8: 'V8 “Failed to reserve virtual memory for CodeRange” without JIT rights; --jitless needs none (v8.dev/blog/jitless)',
})

/** The name of a source. */
export type Source = keyof typeof sources
