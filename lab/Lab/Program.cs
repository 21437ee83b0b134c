using Lab.Demo;

return args switch
{
    ["demo", .. var words] => await DemoCommand.RunAsync(words),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: lab demo [--lab] [--json FILE] [--keep]");
    return 2;
}
