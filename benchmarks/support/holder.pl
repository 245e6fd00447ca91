# Holds listening sockets and idle processes until standard input ends.
#   perl holder.pl SOCKETS PROCESSES
# The sockets are dealt out evenly; a process of Perl takes little memory, since all share it.
use strict; use warnings; use Socket;
my ($sockets, $processes) = @ARGV;
$| = 1;
my @children;
my $port = 1024;
for my $index (0 .. $processes - 1) {
  my $own = int($sockets * ($index + 1) / $processes) - int($sockets * $index / $processes);
  pipe(my $ready, my $tell) or die "pipe: $!";
  my $pid = fork();
  die "fork: $!" unless defined $pid;
  if ($pid == 0) {
    close(STDIN); close(STDOUT); close($ready);
    my @held;
    for my $offset (1 .. $own) {
      socket(my $one, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
      setsockopt($one, SOL_SOCKET, SO_REUSEADDR, 1);
      bind($one, sockaddr_in($port + $offset, INADDR_ANY)) or die "bind: $!";
      listen($one, 5) or die "listen: $!";
      push @held, $one;
    }
    close($tell);
    $SIG{TERM} = 'DEFAULT';
    sleep 3600 while 1;
  }
  close($tell);
  sysread($ready, my $nothing, 1);
  push @children, $pid;
  $port += $own;
}
print "ready\n";
<STDIN>;
kill 'KILL', @children;
