import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import type { Attempt } from '../../src/evaluator/filter.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { print } from '../../src/sbpl/expression.ts'

const head = '(version 1)(deny default)'
const ask = (rules: string, attempt: Attempt, parameters = {}) => decide(readProfile(head + rules, parameters), attempt)
const reading = (path: string): Attempt => ({ operation: 'file-read-data', path })

describe('decide', () => {
  test('names the rule that decided', () => {
    const rules = '(allow file-read* (subpath "/a"))(deny file-read-data (literal "/a/b") (with send-signal SIGSYS))'
    expect(print(ask(rules, reading('/a/c')).rule!)).toBe('(allow file-read* (subpath "/a"))')
    expect(print(ask(rules, reading('/c')).rule!)).toBe('(deny default)')
    expect(ask(rules, reading('/a/b'))).toMatchObject({ action: 'deny', signal: 'SIGSYS' })
  })

  test('lets the last rule win', () => {
    expect(ask('(deny file-read* (subpath "/a"))(allow file-read* (subpath "/a/b"))', reading('/a/b/c')).action).toBe('allow')
    expect(ask('(allow file-read* (subpath "/a/b"))(deny file-read* (subpath "/a"))', reading('/a/b/c')).action).toBe('deny')
  })

  test.each([
    ['(literal "/a")', '/a', ['/', '/b', '/a/b', '/ab']],
    ['(subpath "/a")', '/a', ['/', '/ab', '/b/a']],
    ['(subpath "/a")', '/a/b/c', ['/', '/ab', '/b/a']],
    ['(subpath "/")', '/a/b', []],
    ['(path-ancestors "/a/b/c")', '/a/b', ['/a/b/c', '/a/b/c/d', '/b', '/a/bc']],
    ['(path-ancestors "/a/b/c")', '/a', []],
    ['(path-ancestors "/a/b/c")', '/', []],
    ['(require-any (literal "/a") (literal "/b"))', '/b', ['/c']],
    ['(require-all (subpath "/a") (require-not (subpath "/a/b")))', '/a/c', ['/a/b', '/a/b/c', '/b']],
    ['(subpath (param "P"))', '/p "(x)/y', ['/p', '/x']],
  ])('matches %s with %s', (filter, path, others) => {
    const parameters = { P: '/p "(x)' }
    expect(ask(`(allow file-read* ${filter})`, reading(path), parameters).action).toBe('allow')
    for (const other of others) expect(ask(`(allow file-read* ${filter})`, reading(other), parameters).action).toBe('deny')
  })

  test.each([
    'process-info-pidinfo',
    'iokit-get-properties',
    'nvram-get',
    'file-map-executable',
    'dynamic-code-generation',
    'syscall-unix',
  ])('knows that (deny default) does not reach %s', (operation) => {
    expect(ask('', { operation })).toEqual({ action: 'allow' })
    expect(ask(`(deny ${operation})`, { operation }).action).toBe('deny')
  })

  test('needs every part of an act to match', () => {
    const rule = '(allow file-write-data (require-all (literal "/dev/a") (vnode-type CHARACTER-DEVICE)))'
    expect(ask(rule, { operation: 'file-write-data', path: '/dev/a', vnodeType: 'CHARACTER-DEVICE' }).action).toBe('allow')
    expect(ask(rule, { operation: 'file-write-data', path: '/dev/a' }).action).toBe('deny')
  })

  test('keeps operations apart that only begin alike', () => {
    expect(ask('(allow process-exec (literal "/n"))', { operation: 'process-exec-interpreter', path: '/n' }).action).toBe('deny')
    expect(ask('(allow process-exec* (literal "/n"))', { operation: 'process-exec-interpreter', path: '/n' }).action).toBe('allow')
    expect(ask('(allow file-read* (literal "/n"))', { operation: 'file-test-existence', path: '/n' }).action).toBe('deny')
  })
})

describe('readProfile', () => {
  test.each([
    ['', 'begins with (version 1)'],
    ['(version 3)(deny default)', 'begins with (version 1)'],
    ['(version 1)', 'first rule is (deny default)'],
    ['(version 1)(allow default)', 'first rule is (deny default)'],
    ['(version 1)(deny file-read*)', 'first rule is (deny default)'],
    [`${head}(allow file-reed*)`, 'unbound variable: file-reed*'],
    [`${head}(allow)`, 'names an operation'],
    [`${head}(import "system.sb")`, 'allows or denies'],
    [`${head}allow`, 'A rule is a list'],
    [`${head}(allow file-read* (regex "/a"))`, 'not of the subset'],
    [`${head}(allow file-read* (literal))`, 'not of the subset'],
    [`${head}(allow file-read* (literal "/a" "/b"))`, 'not of the subset'],
    [`${head}(allow file-read* (literal a))`, 'Text is wanted'],
    [`${head}(allow file-read* (literal (param "P")))`, 'P was not handed over'],
    [`${head}(allow file-read* (literal (param "toString")))`, 'toString was not handed over'],
    [`${head}(allow file-read* (sysctl-name "a"))`, 'cannot be filtered by'],
    [`${head}(allow process-fork (literal "/a"))`, 'cannot be filtered by'],
    [`${head}(allow signal (target "self"))`, 'A symbol is wanted'],
    [`${head}(deny file-read* (with no-sandbox))`, 'modifier is not of the subset'],
  ])('refuses %j', (text, message) => {
    expect(() => readProfile(text, {})).toThrow(message)
    expect(() => readProfile(text, {})).toThrow(SyntaxError)
  })
})
