import type { ScanReport } from "../scan-report.ts";
import { html, type Markup, NOTHING } from "./markup.ts";

/** What the device is: system, accounts that can log in, hardware. */
export function deviceSection(report: ScanReport): Markup {
  const facts = report.device.map(({ label, text }) => html`<dt>${label}</dt><dd>${text}</dd>`);
  return html`<section id="device">
<h2>Device</h2>
<dl class="pairs">${facts}</dl>
${usersPart(report)}
${hardwarePart(report)}
</section>`;
}

function usersPart({ users }: ScanReport): Markup {
  if (users.length === 0) return NOTHING;
  const rows = users.map(
    (
      user,
    ) => html`<tr><th scope="row">${user.name}${user.isAdministrator ? html` <span class="badge medium">admin</span>` : NOTHING}</th><td>${user.userId}</td><td>${user.canLogIn}</td><td>${user.keys}</td><td>${user.groups}</td></tr>
`,
  );
  return html`<h3>Accounts that can log in</h3>
<div class="scroll"><table class="list"><thead><tr><th scope="col">Account</th><th scope="col">Id</th><th scope="col">Log in</th><th scope="col">Keys</th><th scope="col">Groups</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}

function hardwarePart({ hardware }: ScanReport): Markup {
  if (hardware.length === 0) return NOTHING;
  const rows = hardware.map(
    ({
      category,
      kind,
      name,
    }) => html`<tr><th scope="row">${name}</th><td>${category}</td><td>${kind}</td></tr>
`,
  );
  return html`<details class="group"><summary><span class="name">Hardware</span><span class="tally">${hardware.length}</span></summary>
<div class="scroll"><table class="list"><thead><tr><th scope="col">Name</th><th scope="col">Bus</th><th scope="col">Kind</th></tr></thead><tbody>
${rows}</tbody></table></div></details>`;
}
