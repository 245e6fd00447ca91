import { createHash } from "node:crypto";
import {
  BASELINE_TYPE,
  findingsOf,
  headFacts,
  orderedRecommendations,
  totalsOf,
} from "../finding.ts";
import { isCounted, recordText } from "../record-text.ts";
import {
  isScan,
  LEVELS,
  type Level,
  type Report,
  type ReportedRecommendation,
  type ScanReport,
} from "../scan-report.ts";
import { baselineSection } from "./baseline-section.ts";
import { deviceSection } from "./device-section.ts";
import { exposureSection } from "./exposure-section.ts";
import { hubMadeSection, hubSection, madeSection } from "./made-section.ts";
import { html, type Markup, NOTHING, ownMarkup } from "./markup.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  high: "High",
  medium: "Medium",
  low: "Low",
  informational: "Info",
};

/** Checks that the card of the baseline names. */
const MOST_WORST_CHECKS = 5;

/**
 * The report as one page of HTML that needs nothing else: no network, no font, no script to be read. Its
 * policy lets the browser load nothing and run no script but the one in it.
 */
export function htmlText(report: Report): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(PAGE_STYLE)}'`,
    `script-src '${hashOf(PAGE_SCRIPT)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${ownMarkup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${isScan(report) ? "Security scan of" : "Posture of the hub"} ${report.name}</title>
<link rel="icon" href="data:,">
<style>${ownMarkup(PAGE_STYLE)}</style>
</head>
<body>
${header(report)}
<main>
${recommendationsSection(report)}
${
  isScan(report)
    ? deviceParts(report)
    : html`${hubSection(report)}
${hubMadeSection(report)}`
}
</main>
<script>${ownMarkup(PAGE_SCRIPT)}</script>
</body>
</html>
`;
  return page.html;
}

function deviceParts(report: ScanReport): Markup {
  return html`${exposureSection(report)}
${baselineSection(report)}
${deviceSection(report)}
${madeSection(report)}`;
}

/** Source: Content Security Policy Level 3, hash-source. */
function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

const SECTIONS: Readonly<
  Record<"device" | "hub", readonly (readonly [id: string, title: string])[]>
> = {
  device: [
    ["recommendations", "Recommendations"],
    ["exposure", "Exposure"],
    ["baseline", "Baseline"],
    ["device", "Device"],
    ["made", "How it was made"],
  ],
  hub: [
    ["recommendations", "Recommendations"],
    ["records", "Hub and records"],
    ["made", "How it was made"],
  ],
};

function header(report: Report): Markup {
  const { made, name } = report;
  const { wrong, open } = totalsOf(report);
  const facts = headFacts(report).map((text) => html`<span>${text}</span>`);
  const tiles = LEVELS.map(
    (level) =>
      html`<li class="tile ${level}${wrong[level] === 0 ? " none" : ""}"><b>${wrong[level]}</b> ${LEVEL_WORDS[level]}</li>`,
  );
  return html`<header>
<p class="brand">Gatewarden ${isScan(report) ? "security scan" : "hub posture"}</p>
<h1>${name}</h1>
<p class="facts">${facts}<span><time datetime="${made.at}">${timeText(made.at)}</time></span></p>
<p class="headline">${headline(report)}</p>
<ul class="tiles" aria-label="Findings by level">${tiles}<li class="tile open${open === 0 ? " none" : ""}"><b>${open}</b> Not decided</li></ul>
<nav aria-label="Sections">${SECTIONS[isScan(report) ? "device" : "hub"].map(([id, title]) => html`<a href="#${ownMarkup(id)}">${title}</a>`)}</nav>
</header>`;
}

/** `2026-01-15 12:00 UTC` */
function timeText(at: string): string {
  return at.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, "$1 $2 UTC");
}

function headline(report: Report): string {
  const { unhealthy, unknown, healthy, checks } = totalsOf(report);
  const judged = checks.passed + checks.failed;
  const parts = [
    `${unhealthy} of ${unhealthy + unknown + healthy} recommendations ask for action`,
    ...(unknown === 0 ? [] : [`${unknown} could not be judged`]),
    ...(isScan(report)
      ? [`${checks.passed} of ${judged} checks of the operating system pass`]
      : []),
  ];
  return `${parts.join(", ")}.`;
}

function recommendationsSection(report: Report): Markup {
  const cards = orderedRecommendations(report).map((one) => recommendationCard(one, report));
  return html`<section id="recommendations">
<h2>Recommendations</h2>
${cards}
</section>`;
}

const STATE_WORDS = { unhealthy: "Unhealthy", unknown: "Unknown", healthy: "Healthy" } as const;

function recommendationCard(one: ReportedRecommendation, report: Report): Markup {
  const badge = one.state === "unhealthy" ? LEVEL_WORDS[one.level] : STATE_WORDS[one.state];
  const look = one.state === "unhealthy" ? one.level : one.state;
  const count =
    one.state === "unhealthy" ? html` <span class="count">${one.count}</span>` : NOTHING;
  const meaning =
    one.state === "unhealthy" ? one.description : `Unhealthy when: ${lowerFirst(one.rule)}`;
  return html`<article class="card ${look}">
<h3><span class="badge ${look}">${badge}</span> ${one.title}${count}</h3>
<p class="type"><code>${one.type}</code></p>
<p>${meaning}</p>
${missingPart(one)}
${one.state === "unhealthy" ? html`<p class="remedy"><b>What to do</b> ${one.remediation}</p>` : NOTHING}
${evidencePart(one, report)}
</article>
`;
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

function missingPart({ missing }: ReportedRecommendation): Markup {
  if (missing.length === 0) return NOTHING;
  return html`<div class="missing"><b>Not known</b><ul>${missing.map((text) => html`<li>${text}</li>`)}</ul></div>`;
}

function evidencePart(one: ReportedRecommendation, report: Report): Markup {
  if (one.type === BASELINE_TYPE) {
    const worst = findingsOf(report)
      .filter(({ kind, state }) => kind === "check" && state === "wrong")
      .slice(0, MOST_WORST_CHECKS);
    const items = worst.map(
      ({ id, title, level }) =>
        html`<li><span class="badge ${level}">${LEVEL_WORDS[level]}</span> <code>${id}</code> ${title}</li>`,
    );
    return html`<ul class="worst">${items}</ul><p><a href="#baseline">All checks, by section</a></p>`;
  }
  const wrong = one.evidence.filter((record) => isCounted(one, record));
  const beside = one.evidence.filter((record) => !isCounted(one, record));
  const rest = one.count - wrong.length;
  const more = rest > 0 && wrong.length > 0 ? html`<p>and ${rest} more</p>` : NOTHING;
  const openIf = wrong.length > 0 && wrong.length <= 4 ? ownMarkup(" open") : NOTHING;
  return html`${
    wrong.length === 0
      ? NOTHING
      : html`<details class="evidence"${openIf}><summary>Evidence (${wrong.length})</summary><ul>${wrong.map(recordItem)}</ul>${more}</details>`
  }${
    beside.length === 0
      ? NOTHING
      : html`<details class="evidence"><summary>Seen beside, and not counted (${beside.length})</summary><ul>${beside.map(recordItem)}</ul></details>`
  }`;
}

function recordItem(record: Readonly<Record<string, string>>): Markup {
  const { rule, ...rest } = record;
  const text = recordText(rest);
  const ruleText = rule === undefined ? NOTHING : html`<code class="rule">${rule}</code>`;
  return html`<li>${text}${ruleText}</li>`;
}
