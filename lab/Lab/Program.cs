using Lab.Boxes;
using Lab.Demo;
using Lab.Faults;

return args switch
{
    ["demo", .. var words] => await DemoCommand.RunAsync(words),
    ["liar", var address, var port] => await LiarCommand.RunAsync(address, port, CancellationToken.None),
    ["router-watch", var at, var line, var resolver] => await RouterWatchCommand.RunAsync(at, line, resolver, TimeProvider.System, CancellationToken.None),
    ["slow-line", var device, var ms, var jitter] => await SlowLineCommand.RunAsync(device, ms, jitter, TimeProvider.System, CancellationToken.None),
    ["socks", var at] => await SocksCommand.RunAsync(at, CancellationToken.None),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: lab demo [--lab[=A|B|C] [--failover]] [--json FILE] [--keep]    (liar, router-watch, slow-line, socks: the lab's own)");
    return 2;
}
