import { compareText } from "../finding.ts";
import { endpointText } from "../record-text.ts";
import { REACHES, type Reach, type ReportedSocket, type ScanReport } from "../scan-report.ts";
import { html, type Markup, NOTHING } from "./markup.ts";

const REACH_WORDS: Readonly<Record<Reach, string>> = {
  internet: "internet",
  networks: "networks",
  unknown: "not known",
  containers: "containers",
  device: "this device",
};

/** Fewer sockets are all drawn in one table. */
const FEW_SOCKETS = 8;

/**
 * Sockets × firewall: a bar for each socket, from this device outwards to the farthest place from which it
 * can be reached. The firewall is a line between the containers of the device and the networks.
 */
export function exposureSection({ exposure }: ScanReport): Markup {
  const { sockets, firewall, interfaces } = exposure;
  const incomplete = firewall.isComplete ? "" : " Not all of its rules could be read.";
  const about = html`<p>Each bar ends at the farthest place from which the port can be reached, by the address it is bound to and the rules of the firewall. Whether routers beyond this device let anybody through is not known here.</p>
<p class="facts"><span>Firewall: ${firewall.summary}.${incomplete}</span>${interfaces.map((text) => html`<span>${text}</span>`)}</p>`;
  if (sockets.length === 0) {
    return html`<section id="exposure"><h2>Exposure</h2>${about}<p>No socket that waits for others was seen.</p></section>`;
  }
  // Many sockets that nobody else can reach would hide the few that matter.
  const isQuiet = ({ reach, isBlocked }: ReportedSocket): boolean =>
    reach === "device" && !isBlocked && sockets.length > FEW_SOCKETS;
  const sorted = [...sockets].sort(farthestFirst);
  const outward = sorted.filter((socket) => !isQuiet(socket));
  const quiet = sorted.filter(isQuiet);
  return html`<section id="exposure">
<h2>Exposure</h2>
${about}
${legend()}
${mapTable(outward)}
${quiet.length === 0 ? NOTHING : html`<details class="group"><summary><span class="name">For this device alone</span><span class="tally">${countText(quiet.length)}</span></summary>${mapTable(quiet)}</details>`}
</section>`;
}

function countText(count: number): string {
  return `${count} ${count === 1 ? "socket" : "sockets"}`;
}

function mapTable(sockets: readonly ReportedSocket[]): Markup {
  if (sockets.length === 0)
    return html`<p>No socket can be reached from outside of this device.</p>`;
  return html`<table class="map">
<thead><tr><th scope="col">Socket</th><th scope="col"><span class="scale"><span>this device</span><span>containers</span><span>networks</span><span>internet</span></span></th></tr></thead>
<tbody>
${sockets.map(socketRow)}
</tbody>
</table>`;
}

function farthestFirst(a: ReportedSocket, b: ReportedSocket): number {
  return (
    REACHES.indexOf(a.reach) - REACHES.indexOf(b.reach) ||
    Number(a.isAllowed) - Number(b.isAllowed) ||
    a.port - b.port ||
    compareText(a.protocol, b.protocol) ||
    compareText(a.address, b.address)
  );
}

function legend(): Markup {
  return html`<ul class="legend" aria-label="Colours of the bars"><li><i class="swatch open"></i>reachable, and not allowed</li><li><i class="swatch allowed"></i>reachable, and allowed</li><li><i class="swatch unknown"></i>not known</li><li><i class="swatch inside"></i>stays on this device</li><li><i class="wall"></i>firewall (solid: it keeps others out)</li></ul>`;
}

/** How a bar looks: what is wrong, what is meant, what is not known, what stays inside. */
function lookOf({ reach, isAllowed }: ReportedSocket): string {
  if (reach === "containers" || reach === "device") return "inside";
  if (isAllowed) return "allowed";
  return reach === "unknown" ? "unknown" : "open";
}

function socketRow(socket: ReportedSocket): Markup {
  const { protocol, address, port, reach, isBlocked, isAllowed, interfaces, sources } = socket;
  const via = interfaces.length === 0 ? "" : ` via ${interfaces.join(", ")}`;
  const from = sources === undefined || sources === "any" ? "" : ` from ${sources}`;
  const words = isBlocked ? "blocked by the firewall" : REACH_WORDS[reach];
  const allowed = isAllowed ? ", allowed" : "";
  return html`<tr>
<th scope="row"><span class="port"><b>${port}</b> ${protocol}</span> <span class="process">${processText(socket)}</span><span class="bound">${endpointText(address, port)}${socket.user === undefined ? "" : `, user ${socket.user}`}</span></th>
<td><span class="lane${isBlocked ? " stopped" : ""}"><span class="bar ${lookOf(socket)} ${reach}"></span></span><span class="reach">${words}${via}${from}${allowed}</span>${becauseOf(socket)}</td>
</tr>
`;
}

function processText({ process, unit, container }: ReportedSocket): string {
  const texts = [
    process ?? "process not known",
    ...(unit === undefined ? [] : [unit]),
    ...(container === undefined ? [] : [`container ${container}`]),
  ];
  return texts.join(", ");
}

function becauseOf({ because }: ReportedSocket): Markup {
  return because === undefined ? NOTHING : html`<code class="rule">${because}</code>`;
}
