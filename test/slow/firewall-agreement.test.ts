// Some minutes of rule sets; a sample of them is in the default suite.
import "../firewall/agreement/agreement-suite.ts";
