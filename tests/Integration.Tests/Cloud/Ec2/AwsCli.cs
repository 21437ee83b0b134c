using System.Diagnostics;
using System.Text.Json.Nodes;
using Lab.Clouds;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>AWS's own command line, with nothing of this machine's settings.</summary>
internal sealed class AwsCli(Uri endpoint) : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("aws");

    /// <summary>What <c>aws ec2 ...</c> prints; null where it ends with an error.</summary>
    public async Task<JsonNode?> Ec2Async(CancellationToken ct, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Needs.Find("aws")!, ["--endpoint-url", endpoint.ToString(), "--region", Ec2Desk.Region, "--output", "json", "ec2", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("AWS_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = _home.FullName;
        start.Environment["AWS_ACCESS_KEY_ID"] = Ec2StandIn.KeyId;
        start.Environment["AWS_SECRET_ACCESS_KEY"] = Ec2StandIn.Secret;
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["AWS_MAX_ATTEMPTS"] = "1";
        start.Environment["AWS_PAGER"] = "";
        using var aws = Process.Start(start)!;
        try
        {
            var output = aws.StandardOutput.ReadToEndAsync(ct);
            var error = aws.StandardError.ReadToEndAsync(ct);
            await aws.WaitForExitAsync(ct);
            Error = await error;
            return aws.ExitCode == 0 ? JsonNode.Parse(await output is { Length: > 0 } text ? text : "{}") : null;
        }
        finally
        {
            if (!aws.HasExited)
            {
                aws.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>What it complained of last.</summary>
    public string Error { get; private set; } = "";

    public void Dispose() => _home.Delete(recursive: true);
}
