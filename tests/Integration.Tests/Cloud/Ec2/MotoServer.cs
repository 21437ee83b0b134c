using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using InternalHost.Cloud.Ec2;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>
/// <c>moto_server</c> on a free loopback port, with its checks of signature and policy on: one key may do everything in EC2, the other
/// what the daemon's policy allows. Null keys: moto is absent, and the tests that need it are skipped.
/// </summary>
public sealed partial class MotoServer : IAsyncLifetime
{
    /// <summary>Two users, a policy and a key each; from the next call on every one is checked.</summary>
    private const int UncheckedCalls = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("moto");
    private readonly ConcurrentQueue<string> _said = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;

    public Uri Url { get; private set; } = new("http://127.0.0.1/");

    public (string Id, string Secret) Owner { get; private set; }

    public (string Id, string Secret) Daemon { get; private set; }

    public string Image { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Need.Moto) is not null)
        {
            return;
        }

        Start();
        Url = await _listening.Task.WaitAsync(Patience);
        Owner = await KeyAsync("owner", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}""");
        var policy = Ec2Policy.Render("home", Ec2Desk.Region, ["t3.nano", "t3a.nano", "t3.micro"]);
        Daemon = await KeyAsync("daemon", policy.Replace($"arn:aws:ec2:{Ec2Desk.Region}:*:instance/*", "*", StringComparison.Ordinal));   // moto knows no resource but *
        using var desk = new Ec2Desk(Url, Owner.Id, Owner.Secret);
        Image = (await desk.Client.DescribeImagesAsync("amazon", "*", "x86_64", desk.Soon)).OrderBy(i => i.ImageId, StringComparer.Ordinal).First().ImageId;
    }

    public async Task DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _home.Delete(recursive: true);
    }

    private void Start()
    {
        var start = new ProcessStartInfo(Needs.Find("moto_server")!, ["-H", "127.0.0.1", "-p", "0"]) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["INITIAL_NO_AUTH_ACTION_COUNT"] = UncheckedCalls.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["PYTHONUNBUFFERED"] = "1";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("moto_server ended: " + string.Join('\n', _said)));
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
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

    /// <summary>Before the checks begin; the scope in the header says only which service is meant.</summary>
    private async Task<XElement> IamAsync(params (string Name, string Value)[] parameters)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, Url)
        {
            Content = new FormUrlEncodedContent(parameters.Append(("Version", "2010-05-08")).Select(p => KeyValuePair.Create(p.Item1, p.Item2))),
        };
        request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? XElement.Parse(text) : throw new InvalidOperationException($"moto: {(int)response.StatusCode} {text}");
    }

    [GeneratedRegex("http://127\\.0\\.0\\.1:[1-9][0-9]*")]
    private static partial Regex RunningOn();
}
