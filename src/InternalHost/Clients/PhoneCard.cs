using System.Collections.Immutable;
using System.Text;
using Common;
using InternalHost.Configuration;
using InternalHost.Pins;

namespace InternalHost.Clients;

/// <summary>What is typed into an SSH app, which reads no configuration file: two entries, and the fingerprints to compare when it asks.</summary>
[PureCore]
internal static class PhoneCard
{
    private const string AddressOfTheText = "(the address in the text message)";

    public static string Render(SiteOptions site, SshClient client, ServiceOptions inner, ImmutableArray<Pin> pins)
    {
        var card = new StringBuilder($"{site.Site}: the way in for {client.Person.Name} by an SSH app\n\n");
        foreach (var (port, suffix) in site.Bastion.Ports.Select((p, i) => (p, i == 0 ? "" : $"-{p}")))
        {
            Entry(card, suffix.Length == 0 ? "The bastion" : $"The same by port {port}, for networks that block the first",
                ("name", $"{site.Site}-door{suffix}"),
                ("host", client.Door ?? AddressOfTheText),
                ("port", $"{port}"),
                ("user", client.Account),
                ("key", "the one that the app has made"));
        }

        Entry(card, "The host inside",
            ("name", site.Site),
            ("host", "127.0.0.1"),
            ("port", $"{inner.BastionPort}"),
            ("user", site.Messages.InnerUser),
            ("key", "the same"),
            ("by way of", $"{site.Site}-door"));
        card.Append("When the app asks whether it knows a host key, compare; with any other, say no:\n");
        pins.ToList().ForEach(p => Compare(card, "bastion", p.Key, p.Next ? "  (next)" : ""));
        client.InnerHostKeys.ToList().ForEach(k => Compare(card, "inside", k, ""));
        return card.Append($"""

            By way of: Termius calls it Host Chaining, Blink ProxyJump, JuiceSSH Connect via, ConnectBot jump host. Where an app has none: give {site.Site}-door a
            local port forward, {inner.BastionPort} to 127.0.0.1:{inner.BastionPort}, and connect to 127.0.0.1 as above while it is open.
            {(client.Door is null ? $"{NoName}\n" : "")}
            """).ToString();
    }

    private const string NoName = "The address changes at each start, and the app asks anew each time. With bastion.name it asks once.";

    private static void Entry(StringBuilder card, string title, params ReadOnlySpan<(string Field, string Value)> fields)
    {
        card.Append($"{title}\n");
        foreach (var (field, value) in fields)
        {
            card.Append($"  {field,-10} {value}\n");
        }

        card.Append('\n');
    }

    private static void Compare(StringBuilder card, string whose, string key, string note) =>
        card.Append($"  {whose,-10} {HostKey.Fingerprint(key)}  {Type(key)}{note}\n");

    private static string Type(string key) => key.Split(' ')[0] switch
    {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        _ => "ECDSA",
    };
}
