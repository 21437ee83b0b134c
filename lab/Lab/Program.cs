using Lab.Demo;
using Lab.Faults;

return args switch
{
    ["demo", .. var words] => await DemoCommand.RunAsync(words),
    ["liar", var address, var port] => await LiarCommand.RunAsync(address, port, CancellationToken.None),
    ["slow-line", var device, var ms, var jitter] => await SlowLineCommand.RunAsync(device, ms, jitter, TimeProvider.System, CancellationToken.None),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: lab demo [--lab[=A|B|C]] [--json FILE] [--keep]    (lab liar and lab slow-line are lab/net's own)");
    return 2;
}
