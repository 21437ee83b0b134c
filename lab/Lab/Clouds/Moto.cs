using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Lab.Clouds;

/// <summary>
/// <c>moto_server</c> on a free loopback port: somebody else's EC2, which checks signatures and policies with AWS's own code from the
/// call on that its users are made.
/// </summary>
public sealed partial class Moto : IAsyncDisposable
{
    public const string Program = "moto_server";

    /// <summary>One of those that it knows without looking through its long list.</summary>
    public const string Image = "ami-03cf127a";

    /// <summary>A user, a policy and a key each; from the next call on every one is checked.</summary>
    private const int CallsForEach = 3;

    /// <summary>It loads for a minute and more on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly ConcurrentQueue<string> _said = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private Moto(string program, int users)
    {
        var start = new ProcessStartInfo(program, ["-H", "127.0.0.1", "-p", "0"]) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["INITIAL_NO_AUTH_ACTION_COUNT"] = (1 + (users * CallsForEach)).ToString(CultureInfo.InvariantCulture);
        start.Environment["PYTHONUNBUFFERED"] = "1";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("moto_server ended: " + string.Join('\n', _said)));
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Each user's key, by name.</summary>
    public IReadOnlyDictionary<string, (string Id, string Secret)> Keys { get; private set; } = new Dictionary<string, (string, string)>();

    /// <param name="program">Its path.</param>
    /// <param name="policies">What each user may do: name to IAM policy.</param>
    public static async Task<Moto> StartAsync(string program, IReadOnlyDictionary<string, string> policies)
    {
        var moto = new Moto(program, policies.Count);
        try
        {
            moto.Url = await moto._listening.Task.WaitAsync(Patience);
            await moto.AskAsync("ec2", ("Action", "DescribeInstances"), ("Version", "2016-11-15"));   // the first one loads it
            var keys = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
            foreach (var (user, policy) in policies)
            {
                keys[user] = await moto.KeyAsync(user, policy);
            }

            moto.Keys = keys;
            return moto;
        }
        catch
        {
            await moto.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        _said.Enqueue(line ?? "");
        if (line is not null && RunningOn().Match(line) is { Success: true } match)
        {
            _listening.TrySetResult(new Uri(match.Value + "/"));
        }
    }

    private async Task<(string Id, string Secret)> KeyAsync(string user, string policy)
    {
        await IamAsync(("Action", "CreateUser"), ("UserName", user));
        await IamAsync(("Action", "PutUserPolicy"), ("UserName", user), ("PolicyName", "p"), ("PolicyDocument", policy));
        var key = await IamAsync(("Action", "CreateAccessKey"), ("UserName", user));
        return (Value("AccessKeyId"), Value("SecretAccessKey"));

        string Value(string name) => key.Descendants().First(e => e.Name.LocalName == name).Value;
    }

    private Task<XElement> IamAsync(params (string Name, string Value)[] parameters) => AskAsync("iam", [.. parameters, ("Version", "2010-05-08")]);

    /// <summary>Before the checks begin; the scope in the header says only which service is meant.</summary>
    private async Task<XElement> AskAsync(string service, params (string Name, string Value)[] parameters)
    {
        using var http = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Post, Url)
        {
            Content = new FormUrlEncodedContent(parameters.Select(p => KeyValuePair.Create(p.Name, p.Value))),
        };
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? XElement.Parse(text) : throw new InvalidOperationException($"moto: {(int)response.StatusCode} {text}");
    }

    [GeneratedRegex("http://127\\.0\\.0\\.1:[1-9][0-9]*")]
    private static partial Regex RunningOn();
}
