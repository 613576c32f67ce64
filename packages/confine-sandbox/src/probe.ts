import { probe as probeLinux, type ProbeReport as LinuxProbeReport } from '@confine-sandbox/isolation-linux'
import { type MacosProbeReport, probe as probeMacos } from '@confine-sandbox/isolation-macos'

/** What a machine can do to hold a guest: of Linux or of macOS, with the same members. */
export type ProbeReport = LinuxProbeReport | MacosProbeReport

/**
 * Tells what this machine can do to hold a guest, what it cannot, why, and what to do about it. Things are tried by doing them, in
 * short-lived child processes: this process and the machine stay as they are. Where there is no isolation the report says so.
 * Never rejects.
 */
export function probe(): Promise<ProbeReport> {
  return process.platform === 'darwin' ? probeMacos() : probeLinux()
}
