/** The packages of a device, by the database that its package tool keeps. */
export interface PackageList {
  readonly source: string;
  readonly versions: PackageVersions;
}

/** Names of what is installed, with versions: `` where the version is not known. A Map is one. */
export interface PackageVersions {
  has(name: string): boolean;
  get(name: string): string | undefined;
  keys(): Iterable<string>;
}
