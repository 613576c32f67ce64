import type { RuntimePrograms } from '@confine-sandbox/conformance'
import { wat } from './wat.ts'

/** The programs of the suite, as modules. */
export const programs: RuntimePrograms = {
  addOne: wat('(module (func (export "addOne") (param f64) (result f64) (f64.add (local.get 0) (f64.const 1))))'),
  counter: wat(
    '(module (global $count (mut i32) (i32.const 0)) (func (export "next") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count)))',
  ),
  fail: wat('(module (func (export "fail") unreachable))'),
  broken: [
    'AAAA',
    new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 99]),
    wat('(module (import "host" "nothing" (func)))'),
    wat('(module (import "__proto__" "toString" (func)))'),
    wat('(module (import "host" "constructor" (func)))'),
    wat('(module (func $start unreachable) (start $start))'),
  ],
  loop: wat('(module (func (export "loop") (loop $again (br $again))))'),
  grow: wat(
    '(module (memory 1) (func (export "grow") (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable))',
  ),
  viaHost: wat(
    '(module (import "host" "addTwo" (func $two (param f64) (result f64))) (func (export "viaHost") (param f64) (result f64) (call $two (local.get 0))))',
  ),
  wait: [wat('(module (import "host" "wait" (func $wait)) (func (export "wait") (call $wait)))')],
  failVia: wat('(module (import "host" "fail" (func $fail)) (func (export "failVia") (call $fail)))'),
  loaded: wat('(module (import "host" "loaded" (func $loaded)) (func (export "_initialize") (call $loaded)))'),
  exit: wat(
    '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (func (export "exit") (param i32) (call $exit (local.get 0))))',
  ),
  exitAtOnce: [0, 3, 255].map((code) => ({
    code,
    program: wat(
      `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (func (export "_start") (call $exit (i32.const ${code})) unreachable))`,
    ),
  })),
}
