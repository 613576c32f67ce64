/// <reference path="./abstract-confine-runtime.d.ts" />
import type { EventEmitter } from 'node:events'
import * as untyped from 'abstract-confine-runtime'
import type { ApiChild, ApiDescription, Runtime, RuntimeOptions } from './runtime.ts'

/** An object of the base class: its members do nothing, describe nothing and know no method. */
export interface AbstractConfineRuntime extends Omit<EventEmitter, 'on'>, Runtime {
  source: RuntimeOptions['source']
  opts: RuntimeOptions
  on(event: 'closed', listener: (exitCode?: number) => void): this
  on(event: string | symbol, listener: (...args: any[]) => void): this
}

// The classes are npm abstract-confine-runtime's own; only their types are ours. They stand as typed constants because
// an ambient module declaration would not reach the users of this package.

/** The base class of every runtime, of npm abstract-confine-runtime 0.4. */
export const AbstractConfineRuntime = untyped.AbstractConfineRuntime as new (opts?: RuntimeOptions) => AbstractConfineRuntime

/** The root of what `describeAPI` returns. */
export const APIDescription = untyped.APIDescription as new (children?: readonly ApiChild[]) => ApiDescription

/** An object that holds functions. */
export const APIObject = untyped.APIObject as new (name: string, children: readonly ApiChild[]) => ApiChild & { type: 'object' }

/** A function. */
export const APIMethod = untyped.APIMethod as new (name: string) => ApiChild & { type: 'method' }

/** What `handleAPICall` throws for a name that is no exported function. Its `code` is -1. */
export const MethodNotFound = named(untyped.MethodNotFound, 'MethodNotFound') as new (
  message?: string,
  data?: unknown,
) => Error & { code: number; data?: unknown }

/** The host tells the error by the name of its class, and in a bundle that has another of that name it gets a new one. */
function named(Class: unknown, name: string): unknown {
  return Object.defineProperty(Class, 'name', { value: name, configurable: true })
}
