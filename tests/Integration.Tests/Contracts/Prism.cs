using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Lab;
using Testing;

namespace Integration.Tests.Contracts;

/// <summary>
/// Stoplight's Prism in front of a stand-in, holding every request and every reply against an official description: what is not in it is
/// answered with the violations instead. Installed by npm from lab/contracts/package-lock.json, once for each clone.
/// </summary>
internal sealed partial class Prism : IAsyncDisposable
{
    /// <summary>Longer than a busy machine needs to read three megabytes of description.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(3);

    /// <summary>Asked once: null, or why there is no Prism.</summary>
    private static readonly Lazy<string?> Absent = new(Install);

    private readonly ConcurrentQueue<string> _said = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private Prism(string description, Uri upstream)
    {
        var start = new ProcessStartInfo(Needs.Find("node")!, [Program, "proxy", "--errors", "-h", "127.0.0.1", "-p", "0", description, upstream.ToString().TrimEnd('/')])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("prism ended: " + string.Join('\n', _said.TakeLast(20))));
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url { get; private set; } = new("http://127.0.0.1/");

    private static string Folder => Path.Combine(Repository.Root, "lab", "contracts");

    private static string Program => Path.Combine(Folder, "node_modules", "@stoplight", "prism-cli", "dist", "index.js");

    /// <summary>Why a test that needs it is skipped; null: all is here. The first question installs.</summary>
    public static string? Missing(string description) => OfficialDescription.Missing(description)
        ?? (Needs.Find("node") is null || Needs.Find("npm") is null ? "node and npm are not installed (nodejs, npm)" : Absent.Value);

    /// <param name="description">Path of the description.</param>
    public static async Task<Prism> InFrontOfAsync(Uri upstream, string description)
    {
        var prism = new Prism(description, upstream);
        prism.Url = await prism._listening.Task.WaitAsync(Patience);
        return prism;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            return;
        }

        _said.Enqueue(line);
        if (ListeningOn().Match(line) is { Success: true } match)
        {
            _listening.TrySetResult(new Uri(match.Groups["url"].Value + "/"));
        }
    }

    /// <summary>What is installed already, from this very lock file, is not installed again.</summary>
    private static string? Install()
    {
        var lockFile = Path.Combine(Folder, "package-lock.json");
        var stamp = Path.Combine(Folder, "node_modules", ".installed-lock");
        if (File.Exists(Program) && File.Exists(stamp) && File.ReadAllText(stamp) == File.ReadAllText(lockFile))
        {
            return null;
        }

        var start = new ProcessStartInfo(Needs.Find("npm")!, ["ci", "--ignore-scripts", "--fetch-retries", "1", "--loglevel", "error"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var npm = Process.Start(start)!;
        var output = npm.StandardOutput.ReadToEndAsync();
        var error = npm.StandardError.ReadToEndAsync();
        if (!npm.WaitForExit(InstallPatience))
        {
            npm.Kill(entireProcessTree: true);
            return $"npm could not install Prism in {InstallPatience.TotalMinutes} min";
        }

        if (npm.ExitCode != 0)
        {
            return $"npm could not install Prism: {error.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? output.Result}";
        }

        File.Copy(lockFile, stamp, overwrite: true);
        return null;
    }

    [GeneratedRegex("Prism is listening on (?<url>http://127\\.0\\.0\\.1:[1-9][0-9]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex ListeningOn();
}
