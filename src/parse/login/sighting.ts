/** One attempt to log in, as one source saw it. Names are as somebody typed them: any characters. */
export interface LoginSighting {
  /** `sshd`, `su`, `sudo`, `login`, `dropbear`, or the PAM service. */
  readonly operation: string;
  readonly result: "Success" | "Fail";
  /** Whom somebody wanted to be; undefined where the source does not say. */
  readonly userName?: string;
  /** Who wanted it: of su and sudo. */
  readonly byUser?: string;
  /** Literal address in the spelling of the source. */
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly terminal?: string;
  /** `password`, `publickey`, … */
  readonly method?: string;
  /** There is no such user. */
  readonly isInvalidUser?: boolean;
  /** What sudo was asked to run. */
  readonly command?: string;
  /** Attempts that the message stands for, where it stands for several; else 1. */
  readonly attempts?: number;
  /** Told by the PAM module, which some programs do beside their own word, in another process. */
  readonly isByPam?: true;
  /** Why it was refused, where that is not the password. */
  readonly reason?: string;
}

/** A connection whose failed attempts may not have been logged one by one. Source: OpenSSH, packet.c. */
export interface AbandonedConnection {
  readonly operation: "sshd";
  readonly userName: string;
  readonly isInvalidUser: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
}
