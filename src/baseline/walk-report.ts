/** What one walk over the local file systems found. Lists are cut at `WALK_LIST_LIMIT` paths. */
export interface WalkReport {
  /** Files and folders that were looked at. */
  readonly entries: number;
  /** True when a bound ended the walk before it had seen everything. */
  readonly isCut: boolean;
  readonly finishedAtMs: number;
  /** Folders that anyone may write, without the sticky bit. */
  readonly openFolders: WalkList;
  /** Regular files that anyone may write. */
  readonly openFiles: WalkList;
  /** Files of user ids that no account has. */
  readonly unknownUsers: WalkList;
  /** Files of group ids that no group has. */
  readonly unknownGroups: WalkList;
  /** Programs with the set-user-id bit. */
  readonly setuid: WalkList;
  /** Programs with the set-group-id bit. */
  readonly setgid: WalkList;
  /** Folders and files that the walk was refused: what is in them is not known. Absent: none. */
  readonly unread?: WalkList;
  /** Why `unknownUsers` says nothing, such as an unreadable /etc/passwd. Absent: it does. */
  readonly usersUnknown?: string;
  /** The same for `unknownGroups`. */
  readonly groupsUnknown?: string;
}

/** The lists that a check can ask for. */
export type WalkListName =
  | "openFolders"
  | "openFiles"
  | "unknownUsers"
  | "unknownGroups"
  | "setuid"
  | "setgid";

export interface WalkList {
  readonly total: number;
  readonly paths: readonly string[];
}

/** Most paths kept per list. */
export const WALK_LIST_LIMIT = 100;
