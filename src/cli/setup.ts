import { describeError } from "../contract/errors.ts";
import { systemClock } from "../system/clock.ts";
import { createServiceControl } from "../system/service-control.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { createProgress } from "./setup/progress.ts";
import { createPrompter, Interrupted } from "./setup/prompter.ts";
import { runSetup } from "./setup/run-setup.ts";
import { parseSetupOptions } from "./setup/setup-options.ts";

const HELP = `Usage: gatewarden setup [IDENTITY] [OPTIONS]

From the installed package to the first message: checks who this gateway is, connects to the hub once
to see that it is let in, writes /etc/gatewarden, starts the service and waits for its first message.
On a terminal it asks for what the options leave out. It needs root.

Identity, one of:
  --connection-string-file FILE   file with the connection string of the module at the hub; - is
                                  standard input. The string itself is never taken as an argument:
                                  other users of the machine could read it there.
  --host NAME --device ID         client certificate (X.509): the hub's host name, the device and,
    [--module ID]                 unless the agent is the device itself, the module
  --dps-scope ID                  Device Provisioning Service, with one proof:
    --registration-id ID            --dps-key-file FILE        the device's own key
    [--module ID]                   --dps-group-key-file FILE  the key of the enrolment group
    [--dps-endpoint HOST[:PORT]]    --certificate and --key    a client certificate
  --certificate FILE --key FILE   PEM: certificate with its chain, and private key. Also for a
                                  connection string that says x509=true.

Network:
  --protocol mqtt|mqtt-ws         MQTT on port 8883 (default), or inside WebSockets on port 443
  --port N                        another port
  --gateway-host NAME             connect through this IoT Edge gateway
  --ca FILE                       PEM: CA trusted besides those of the system
  --proxy URL                     HTTP proxy, http://host:port
  --proxy-password-file FILE      file with user:password of the proxy
  --transport iothub|iothub-sdk   whose code speaks to the hub (default iothub)

What is done:
  --yes               replace an existing configuration, go on with what is doubtful, without asking
  --no-check          do not connect to the hub before writing
  --no-start          write only; leave the service alone
  --wait SECONDS      how long to wait for the first message (default 45)
  --config-dir DIR    another folder than /etc/gatewarden; needs --no-start

Secrets are copied to DIR/credentials (0700, files 0600), from where systemd hands them to the service;
config.json names them and holds none. An existing config.json is kept as config.json.bak-N; what it
says besides identity and network stays. The check logs in as the identity that was given: an agent
that runs with it is disconnected for a moment.

Exit codes: 0 set up; 1 the hub cannot be reached, or the service did not start or connect; 2 wrong
usage; 3 the identity, a file or the configuration cannot be used, or the hub refused the identity;
130 interrupted. After 1 and 3 from the check nothing has been written.

Examples:
  sudo gatewarden setup
  sudo gatewarden setup --connection-string-file ./module.txt --yes
  az iot hub module-identity connection-string show … -o tsv | sudo gatewarden setup \\
    --connection-string-file - --protocol mqtt-ws --yes`;

/** `gatewarden setup`: from the installed package to the first message. */
export const setupCommand: Command = {
  help: HELP,
  async run(args: readonly string[], { terminal, environment }: CommandContext): Promise<number> {
    const options = parseSetupOptions(args);
    const progress = createProgress(terminal, options.mayStart ? 5 : 3);
    try {
      return await runSetup(options, {
        progress,
        prompter: createPrompter(terminal),
        environment,
        clock: systemClock,
        control: createServiceControl(systemClock),
      });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      terminal.warn(`${describeError(error)}: nothing was changed`);
      return EXIT.interrupted;
    }
  },
};
