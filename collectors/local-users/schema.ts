import { boolean, optional, record, text } from "../../src/contract/schema.ts";

export const localUsersSettings = record({
  countAuthorizedKeys: boolean({
    default: true,
    doc: "Count the SSH keys in each home folder; off: no home folder is touched",
  }),
});

function detail(doc: string, maxLength = 256) {
  return optional(text({ maxLength, doc }));
}

export const localUsersPayload = record({
  UserName: text({ maxLength: 256, doc: "Field 1 of /etc/passwd" }),
  UserId: text({ maxLength: 10, doc: "Field 3 of /etc/passwd" }),
  GroupNames: text({
    doc: "Groups, `;` between them, primary first: /etc/group; the id where a group has no name",
  }),
  GroupIds: text({ doc: "Ids of the same groups in the same order: /etc/passwd, /etc/group" }),
  ExtraDetails: optional(
    record({
      HomeDirectory: detail("Field 6 of /etc/passwd", 1024),
      Shell: detail("Field 7 of /etc/passwd; an empty field means /bin/sh", 1024),
      CanLogIn: detail("`true`, `false` or `unknown`: what the files below allow"),
      CanLogInReason: detail(
        "Why: `password`, `empty password`, `authorized keys`, `no login shell`, `account expired`, `password locked`, `password file not readable`, `authorized keys not known`",
      ),
      HasPassword: detail("`true`, `false`, `empty` or `unknown`: field 2 of /etc/shadow"),
      PasswordScheme: detail(
        "Hash method of the password, from its prefix: /etc/shadow, /etc/passwd",
      ),
      SystemAccount: detail("`true` outside UID_MIN to UID_MAX of /etc/login.defs"),
      IsAdministrator: detail("`true` for user id 0 and members of root, sudo, wheel or admin"),
      AuthorizedKeys: detail("Keys in .ssh/authorized_keys and .ssh/authorized_keys2 of the home"),
    }),
  ),
});
