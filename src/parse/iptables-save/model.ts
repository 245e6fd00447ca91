/** Packets and bytes that a rule or a policy has seen, e.g. `[12:340]`. */
export interface IptablesCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** A value of a rule's head (`-s 10.0.0.0/8`, `! -i eth+`), as it stands in the text. */
export interface IptablesField {
  readonly value: string;
  readonly isNegated: boolean;
}

/** One option of a match or a target: `! --dport 1:1023`, `--tcp-flags SYN,RST SYN`, `--syn`. */
export interface IptablesOption {
  /** With its dashes, as it stands in the text. Empty: words that belong to no option. */
  readonly name: string;
  readonly isNegated: boolean;
  /** Without quotes and escapes, in order. */
  readonly values: readonly string[];
}

/** One `-m MODULE` with the options behind it. */
export interface IptablesMatch {
  /** `null`: options without an `-m`, which only rules written by hand have (`-p tcp --dport 22`). */
  readonly module: string | null;
  readonly options: readonly IptablesOption[];
}

/** Where a rule sends its packets. `none`: the rule only counts. */
export type IptablesTarget =
  | { readonly kind: "none" }
  | {
      readonly kind: "jump" | "goto";
      /** A user chain or a target extension; upper case alone does not tell which. */
      readonly name: string;
      readonly options: readonly IptablesOption[];
    };

/** One `-A CHAIN …`. */
export interface IptablesRule {
  readonly counters?: IptablesCounters;
  /** `-p`: a name of /etc/protocols, or a number. */
  readonly protocol?: IptablesField;
  /** `-s`: an address, with or without `/24` or `/255.0.255.0`. */
  readonly source?: IptablesField;
  /** `-d`, like `source`. */
  readonly destination?: IptablesField;
  /** `-i`: a name; a trailing `+` stands for any ending. */
  readonly inInterface?: IptablesField;
  /** `-o`, like `inInterface`. */
  readonly outInterface?: IptablesField;
  /** `-f`: second and further fragments; negated, heads and unfragmented packets. */
  readonly fragment?: { readonly isNegated: boolean };
  /** In the order of the text; one module may occur more than once. */
  readonly matches: readonly IptablesMatch[];
  readonly target: IptablesTarget;
}

/** One `:CHAIN POLICY [packets:bytes]` with its rules in evaluation order. */
export interface IptablesChain {
  readonly name: string;
  /** `ACCEPT` or `DROP` of a built-in chain; `null` for a user chain (`-`). */
  readonly policy: string | null;
  readonly counters?: IptablesCounters;
  readonly rules: readonly IptablesRule[];
}

/** One `*TABLE … COMMIT`. */
export interface IptablesTable {
  readonly name: string;
  readonly chains: readonly IptablesChain[];
}

/** What was wrong with a line, or what the saving program said about its own output. */
export type IptablesProblemKind =
  /** The text is longer than `maxBytes`: read up to the last whole line. */
  | "too-large"
  /** More rules than `maxRules`: the rest is not read. */
  | "too-many-rules"
  /** The table ends without COMMIT: the text was cut, or the program died. */
  | "not-committed"
  /** `# Table `x' is incompatible, use 'nft' tool.`: the table is not in the text. */
  | "incompatible-table"
  /** `# Warning: iptables-legacy tables present`: the kernel has tables that this text leaves out. */
  | "legacy-tables-present"
  /** The line is nothing that the saving program writes. */
  | "foreign-line"
  /** A chain or rule line that stands in no table. */
  | "outside-table"
  | "malformed-chain"
  | "malformed-rule"
  /** A quoted word runs over the end of its line: it was read, but iptables-restore refuses it. */
  | "line-break-in-quotes"
  /** A rule of a chain that was not declared; it is kept, in a user chain of that name. */
  | "undeclared-chain"
  | "repeated-chain"
  | "repeated-table"
  /** The line has a NUL byte and is left out. */
  | "nul-byte"
  /** The program could not decode an extension and wrote `[unsupported revision]` or the like. */
  | "undecoded-extension";

export interface IptablesProblem {
  readonly kind: IptablesProblemKind;
  /** From 1. */
  readonly line: number;
  /** What was found, at most 200 characters; may quote the text. */
  readonly detail: string;
}

/** What could be read of an `iptables-save` text. */
export interface IptablesSave {
  readonly tables: readonly IptablesTable[];
  /** In the order of lines, the first 100. */
  readonly problems: readonly IptablesProblem[];
  /** How many there were altogether. */
  readonly problemCount: number;
  /** False where chains, rules or tables of the machine may be missing from `tables`. */
  readonly isComplete: boolean;
}
