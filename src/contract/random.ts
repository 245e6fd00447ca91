/** Chance, handed in so that tests can fix it. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A version 4 UUID in lower case. Source: RFC 9562 section 5.4. */
  uuid(): string;
}
