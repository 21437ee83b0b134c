using System.Runtime.InteropServices;
using Bench;
using Bench.Detection;
using Bench.Recovery;
using Lab;

const int Good = 0;
const int BrokenPromise = 1;
const int BadUsage = 2;
const int CannotRun = 77;

IBenchmark[] all = [new Detect(), new FalseDown(), new StartToTunnel(), new Recover(), new Simulate(), new Storm(), new LoginDelay(), new LoginToGateway(), .. LabDetect.All];
var results = Path.Combine(Repository.Root, "bench", "results");
var names = new List<string>();
int? runs = null;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--list":
            foreach (var benchmark in all)
            {
                Console.WriteLine($"{benchmark.Name,-20} {benchmark.What}");
            }

            return Good;
        case "--runs" or "--trials" or "--count" or "--years" when i + 1 < args.Length && int.TryParse(args[i + 1], out var n) && n > 0:
            runs = n;
            i++;
            break;
        default:
            names.Add(args[i]);
            break;
    }
}

if (names.FirstOrDefault(n => !all.Any(b => Named(b, n))) is { } unknown)
{
    Console.Error.WriteLine($"no benchmark is called {unknown}: {string.Join(", ", all.Select(b => b.Name))}");
    return BadUsage;
}

using var ending = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

var worst = Good;
foreach (var benchmark in all.Where(b => names.Count == 0 || names.Any(n => Named(b, n))))
{
    try
    {
        var result = await benchmark.RunAsync(runs, ending.Token);
        Report.Print(result);
        Report.Save(result, results);
        worst = result.Holds ? worst : BrokenPromise;
    }
    catch (CannotRunException e)
    {
        Console.WriteLine($"{benchmark.Name}: cannot run here: {e.Message}");
        Report.SaveReason(benchmark.Name, e.Message, results);
        worst = worst == Good ? CannotRun : worst;
    }
    catch (InvalidOperationException e)
    {
        Console.WriteLine($"{benchmark.Name}: {e.Message}");
        worst = BrokenPromise;
    }
    catch (OperationCanceledException) when (ending.IsCancellationRequested)
    {
        return 130;
    }
}

return worst;

// A name, or the family that several names begin with.
static bool Named(IBenchmark benchmark, string name) =>
    benchmark.Name == name || benchmark.Name.StartsWith(name + "-", StringComparison.Ordinal);

void End(PosixSignalContext context)
{
    context.Cancel = true;
    ending.Cancel();
}
