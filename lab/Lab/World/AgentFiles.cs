using System.Text.Json.Nodes;

namespace Lab.World;

/// <summary>The settings of a <c>bastion agent</c> whose whole world is one folder and a gateway of ours.</summary>
/// <param name="Log">sshd's.</param>
/// <param name="Port">The agent's own.</param>
public sealed record AgentFiles(string Folder, string Log, int Port, int SshdPort, TwilioGateway Gateway, params IReadOnlyList<AgentFiles.Person> People)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The hook's; null: no hook.</summary>
    public string? Spool { get; init; }

    /// <summary>The VM's name in the provider's app.</summary>
    public string? Vm { get; init; }

    /// <summary>Told by it and not by the gateway; null: the gateway.</summary>
    public Uri? Webhook { get; init; }

    /// <summary>sshd runs as our own user.</summary>
    public bool IsPrivate { get; init; }

    /// <param name="Fingerprint">As <c>ssh-keygen -l</c> prints it.</param>
    public sealed record Person(string Name, string Device, string Fingerprint);

    /// <summary>Writes the settings and the gateway's secret.</summary>
    /// <returns>The path for <c>--config</c>.</returns>
    public string Write()
    {
        var settings = new JsonObject
        {
            ["site"] = "home",
            ["log"] = Log,
            ["identities"] = new JsonArray([.. People.Select(p =>
                new JsonObject { ["fingerprint"] = p.Fingerprint, ["role"] = "person", ["name"] = p.Name, ["device"] = p.Device })]),
            ["agent_port"] = Port,
            ["state_directory"] = In("state"),
            ["sshd_ports"] = new JsonArray(SshdPort),
            ["sms"] = new JsonObject
            {
                ["base_url"] = Gateway.BaseUrl.ToString(),
                ["account"] = Gateway.Account.Sid,
                ["key_name"] = Gateway.Account.KeyName,
                ["secret_file"] = In("secret"),
                ["from"] = Gateway.Account.Number,
                ["to"] = new JsonArray("+15550100001"),
            },
            ["nologin_path"] = In("nologin"),
            ["private"] = IsPrivate,
        };
        foreach (var (key, value) in ((string, string?)[])[("vm", Vm), ("spool", Spool)])
        {
            if (value is not null)
            {
                settings[key] = value;
            }
        }

        if (Webhook is { } hook)
        {
            settings.Remove("sms");
            settings["webhook"] = new JsonObject { ["shape"] = "json", ["url"] = hook.ToString() };
        }

        Secret("secret", Gateway.Account.Secret + "\n");
        return Secret("agent.json", settings.ToJsonString());
    }

    private string Secret(string name, string text)
    {
        var path = In(name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, OwnerOnly);
        return path;
    }

    private string In(string name) => Path.Combine(Folder, name);
}
