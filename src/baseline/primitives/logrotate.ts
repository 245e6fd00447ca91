import type { Device } from "../device.ts";
import { isRotated, logrotateConfig } from "../facts/logrotate.ts";
import { rsyslogConfig, rsyslogFiles } from "../facts/rsyslog.ts";
import { serviceState } from "../facts/units.ts";
import { expandGlob } from "../glob.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether logs are rotated: something starts logrotate, and what rsyslog writes is in its patterns. */
export interface LogrotateCheck {
  readonly test: "logrotate";
}

const MAIN = "/etc/logrotate.conf";
/** What runs it where no timer does. Source: cron(8), run-parts(8); BusyBox crond. */
const JOBS = [
  "/etc/cron.daily/logrotate",
  "/etc/cron.hourly/logrotate",
  "/etc/cron.d/logrotate",
  "/etc/periodic/daily/logrotate",
  "/etc/periodic/daily/logrotate.sh",
];

/** Without logrotate and rsyslog no text logs grow, and it does not apply. */
export function judgeLogrotate(_check: LogrotateCheck, device: Device): Outcome {
  const config = logrotateConfig(device);
  const rsyslog = rsyslogConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (rsyslog.state === "unreadable") return because("error", rsyslog.reason);
  if (config.state === "missing") {
    if (rsyslog.state === "missing")
      return because("not-applicable", "neither logrotate nor rsyslog is here");
    return decide(false, evidence(MAIN, "logrotate is configured", "not there", "persistent"));
  }
  const { patterns } = config.value;
  const logs = rsyslog.state === "value" ? rsyslogFiles(rsyslog.value) : [];
  const outcomes = logs.map((path): Outcome => {
    const isGood = isRotated(config.value, path);
    const found = isGood ? "rotated" : "in no pattern";
    return decide(isGood, evidence(MAIN, `${path} is rotated`, found, "persistent"));
  });
  const count = `${patterns.length} patterns`;
  return allOf([
    decide(patterns.length > 0, evidence(MAIN, "patterns of logs", count, "persistent")),
    judgeSchedule(device),
    ...outcomes,
  ]);
}

function judgeSchedule(device: Device): Outcome {
  const expected = "something starts logrotate";
  const timer = serviceState(device, "logrotate.timer");
  if (timer.state === "unreadable") return because("error", timer.reason);
  if (timer.state === "value" && timer.value.isEnabled)
    return decide(true, evidence(timer.value.origin, expected, "logrotate.timer", "persistent"));
  for (const path of JOBS) {
    const found = expandGlob(device, path);
    if (found.state === "unreadable") return because("error", found.reason);
    if (found.state === "value")
      return decide(true, evidence(path, expected, "a job of cron", "persistent"));
  }
  return decide(false, evidence("logrotate.timer, cron", expected, "neither", "persistent"));
}
