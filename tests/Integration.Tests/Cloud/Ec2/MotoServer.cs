using InternalHost.Cloud.Ec2;
using Lab.Clouds;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>
/// A <see cref="Moto"/> with two users: one key may do everything in EC2 and make users, the other what the daemon's policy allows. Null keys: moto is
/// absent, and the tests that need it are skipped.
/// </summary>
public sealed class MotoServer : IAsyncLifetime
{
    private Moto? _moto;

    public Uri Url => _moto?.Url ?? new Uri("http://127.0.0.1/");

    public (string Id, string Secret) Owner { get; private set; }

    public (string Id, string Secret) Daemon { get; private set; }

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Need.Moto) is not null)
        {
            return;
        }

        var policy = Ec2Policy.Render("home", Ec2Desk.Region, ["t3.nano", "t3a.nano", "t3.micro"]);
        _moto = await Moto.StartAsync(Needs.Find(Moto.Program)!, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["owner"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","route53:*","iam:*"],"Resource":"*"}]}""",
            ["daemon"] = policy.Replace($"arn:aws:ec2:{Ec2Desk.Region}:*:instance/*", "*", StringComparison.Ordinal),   // moto knows no resource but *
        });
        (Owner, Daemon) = (_moto.Keys["owner"], _moto.Keys["daemon"]);
    }

    public async Task DisposeAsync()
    {
        if (_moto is not null)
        {
            await _moto.DisposeAsync();
        }
    }
}
