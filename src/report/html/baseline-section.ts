import { compareIds, totalsOf } from "../finding.ts";
import { lookText } from "../record-text.ts";
import { type CheckStanding, LEVELS, type ReportedCheck, type ScanReport } from "../scan-report.ts";
import { html, type Markup, NOTHING, ownMarkup } from "./markup.ts";

const STANDINGS: readonly CheckStanding[] = [
  "failed",
  "error",
  "waived",
  "manual",
  "passed",
  "not-applicable",
];
const WORDS: Readonly<Record<CheckStanding, string>> = {
  failed: "failed",
  error: "error",
  waived: "waived",
  manual: "for a person",
  passed: "passed",
  "not-applicable": "not applicable",
};

/** Checks by section, the failed ones first, each with evidence and remedy below its title. */
export function baselineSection(report: ScanReport): Markup {
  const groups = new Map<string, ReportedCheck[]>();
  for (const check of report.baseline.checks) {
    groups.set(check.group, [...(groups.get(check.group) ?? []), check]);
  }
  const { checks, notJudged } = totalsOf(report);
  const counts = STANDINGS.filter((standing) => checks[standing] > 0).map(
    (standing) => html`<span>${checks[standing]} ${WORDS[standing]}</span>`,
  );
  const skipped = notJudged === 0 ? NOTHING : html`<span>${notJudged} not judged</span>`;
  return html`<section id="baseline">
<h2>OS baseline</h2>
<p class="facts">${counts}${skipped}</p>
${filterBar()}
${[...groups].map(([name, all]) => groupPart(name, all))}
${skippedPart(report)}
</section>`;
}

/** Without a script there is nothing to filter with, so the script shows it. */
function filterBar(): Markup {
  return html`<div class="filter" hidden><label>Show <select id="standing"><option value="">all checks</option><option value="failed">failed</option><option value="error">errors</option><option value="manual">for a person</option><option value="passed">passed</option><option value="not-applicable">not applicable</option></select></label> <label>Find <input id="find" type="search" placeholder="ssh, 5.2, /etc/..."></label> <button type="button" id="unfold">Unfold all</button> <output id="matches"></output></div>`;
}

function groupPart(name: string, checks: readonly ReportedCheck[]): Markup {
  const count = (standing: CheckStanding): number =>
    checks.filter((check) => check.standing === standing).length;
  const failed = count("failed");
  const passed = count("passed");
  const errors = count("error");
  const texts = STANDINGS.filter(
    (standing) => standing !== "not-applicable" || failed + passed === 0,
  )
    .filter((standing) => count(standing) > 0)
    .map((standing) => `${count(standing)} ${WORDS[standing]}`);
  const meter = failed + passed + errors === 0 ? NOTHING : meterOf(passed, failed, errors);
  return html`<details class="group"><summary><span class="name">${name}</span><span class="tally">${texts.join(", ")}</span>${meter}</summary>
${[...checks].sort(worstFirst).map(checkPart)}
</details>
`;
}

/** A line of three colours, drawn as SVG: widths by attribute, since the policy allows no inline style. */
function meterOf(passed: number, failed: number, errors: number): Markup {
  const all = passed + failed + errors;
  const share = (part: number): number => Math.round((part / all) * 1000) / 10;
  const [bad, odd] = [share(failed), share(errors)];
  return html`<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="${failed} failed of ${all}"><rect class="m-pass" width="100" height="4"/><rect class="m-fail" width="${bad}" height="4"/><rect class="m-error" x="${bad}" width="${odd}" height="4"/></svg>`;
}

function worstFirst(a: ReportedCheck, b: ReportedCheck): number {
  const isBad = ({ standing }: ReportedCheck): boolean => standing === "failed";
  const byLevel = isBad(a) && isBad(b) ? LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) : 0;
  return (
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) ||
    byLevel ||
    compareIds(a.id, b.id)
  );
}

function checkPart(check: ReportedCheck): Markup {
  const { id, title, standing, severity, level } = check;
  const isBad = standing === "failed";
  const look = isBad ? level : standing;
  const word = isBad ? severity : WORDS[standing];
  const name = ownMarkup(standing);
  return html`<details class="check ${look}" data-standing="${name}"><summary><span class="badge ${look}">${word}</span><span class="id">${id}</span><span class="title">${title}</span></summary>
<div class="body">
${check.reason === undefined ? NOTHING : html`<p>${check.reason}</p>`}
${looksPart(check)}
${check.rationale === "" ? NOTHING : html`<p>${check.rationale}</p>`}
${isBad || standing === "error" ? remedyPart(check) : NOTHING}
</div></details>
`;
}

function looksPart({ evidence }: ReportedCheck): Markup {
  if (evidence.length === 0) return NOTHING;
  return html`<ul class="looks">${evidence.map((look) => html`<li>${lookText(look)}</li>`)}</ul>`;
}

function remedyPart({ remediation }: ReportedCheck): Markup {
  const [what = "", ...how] = remediation.split("\n");
  if (what === "") return NOTHING;
  const lines = how.length === 0 ? NOTHING : html`<pre>${how.join("\n")}</pre>`;
  return html`<p class="remedy"><b>What to do</b> ${what}</p>${lines}`;
}

function skippedPart({ baseline }: ScanReport): Markup {
  if (baseline.skipped.length === 0) return NOTHING;
  const items = baseline.skipped.map(
    ({ reason, ids }) => html`<li>${reason}: ${ids.join(", ")}</li>`,
  );
  return html`<h3>Not judged</h3><ul class="gaps">${items}</ul>`;
}
