# A web server that never names its host, has nothing at /, logs each request, and knows no SIGTERM.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $server = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST} || '0.0.0.0',
    LocalPort => $ENV{PORT} || 7000,
    ReuseAddr => 1,
    Listen    => 64,
) or die "cannot listen: $!\n";

while (my $client = $server->accept) {
    my $request = <$client> // next;
    $request =~ s/\s+$//;
    while (my $header = <$client>) { last if $header =~ /^\s*$/ }
    print "$request\n";
    my $body = "Nothing here.\n";
    print $client join("\r\n", 'HTTP/1.1 404 Not Found', 'Content-Length: ' . length $body, 'Connection: close', '', $body);
    close $client;
}
