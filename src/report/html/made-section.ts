import { skippedTexts } from "../record-text.ts";
import type { HubReport, ScanReport } from "../scan-report.ts";
import { html, type Markup, NOTHING } from "./markup.ts";

type Row = readonly [label: string, text: string];

/** How the report of a device was made, and what could not be read. */
export function madeSection({ made, gaps }: ScanReport): Markup {
  const allowed = made.allowedPorts.length === 0 ? "none" : made.allowedPorts.join(", ");
  const walked =
    made.walkedEntries === undefined
      ? "not walked: checks that need every file were left out"
      : `${made.walkedEntries} files and folders`;
  const rows: readonly Row[] = [
    ["Made by", `Gatewarden ${made.version}, gatewarden scan`],
    ["At", `${made.at}, in ${(made.durationMs / 1000).toFixed(1)} s`],
    ["Looked at", made.isLive ? "the running device" : `the root file system in ${made.root}`],
    ["As", made.isRoot ? "root" : "a user that is not root, so some things could not be read"],
    ["Allowed ports", allowed],
    ["File systems", walked],
  ];
  return html`<section id="made">
<h2>How it was made</h2>
${pairs(rows)}
<p>Everything was read from files and kernel interfaces, and nothing was changed. Only the rules of a firewall were asked of its own tools. Verdicts are pure functions of what was read: the same device gives the same report.</p>
${gapList(gaps)}
</section>`;
}

/** What the hub is, where its records came from, and which of them were left out. */
export function hubSection(report: HubReport): Markup {
  const { device, sources } = report;
  const rows = sources.map(
    ({
      name,
      records,
      skipped,
    }) => html`<tr><th scope="row">${name}</th><td>${records}</td><td>${skipped}</td></tr>
`,
  );
  const texts = skippedTexts(report);
  const skipped =
    texts.length === 0
      ? NOTHING
      : html`<h3>Skipped records</h3><ul class="gaps">${texts.map((text) => html`<li>${text}</li>`)}</ul>`;
  return html`<section id="records">
<h2>Hub and records</h2>
${pairs(device.map(({ label, text }) => [label, text] as const))}
<div class="scroll"><table class="list"><thead><tr><th scope="col">Source</th><th scope="col">Records</th><th scope="col">Skipped</th></tr></thead><tbody>
${rows}</tbody></table></div>
${skipped}
</section>`;
}

/** How the report of a hub was made. */
export function hubMadeSection({ made, gaps }: HubReport): Markup {
  const rows: readonly Row[] = [
    ["Made by", `Gatewarden ${made.version}, gatewarden hub-posture`],
    ["At", `${made.at}, in ${(made.durationMs / 1000).toFixed(1)} s`],
    ["Read from", made.isLive ? "the services of Azure" : "saved files"],
    ["Addresses of a rule", `at most ${made.maxAddresses}`],
  ];
  return html`<section id="made">
<h2>How it was made</h2>
${pairs(rows)}
<p>Nothing was changed. Keys were compared as hashes under a secret of this run and not kept; passwords of registries were not read. Verdicts are pure functions of what was read: the same records give the same report, but for the hashes.</p>
${gapList(gaps)}
</section>`;
}

function pairs(rows: readonly Row[]): Markup {
  return html`<dl class="pairs">${rows.map(([label, text]) => html`<dt>${label}</dt><dd>${text}</dd>`)}</dl>`;
}

function gapList(gaps: readonly string[]): Markup {
  return gaps.length === 0
    ? html`<p>Everything that was asked for could be read.</p>`
    : html`<h3>Could not be read</h3><ul class="gaps">${gaps.map((gap) => html`<li>${gap}</li>`)}</ul>`;
}
