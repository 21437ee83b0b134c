using System.Collections.Immutable;
using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// Typed calls of the EC2 Query API, one method an action; names and meanings are the API's own. Every method throws
/// <see cref="Ec2Exception"/>. With <c>dryRun</c> nothing is done: it returns when the call would be allowed.
/// </summary>
internal sealed partial class Ec2Client(IEc2Transport transport)
{
    /// <summary>Between two pages nobody waits: this many is more than one site ever has.</summary>
    private const int MostPages = 100;

    private async Task<XElement> SendAsync(Ec2Call call, CancellationToken ct) => await transport.SendAsync(call, ct);

    /// <summary>A dry run that would be allowed is answered with an error of its own.</summary>
    private async Task<XElement?> TryAsync(Ec2Call call, bool dryRun, CancellationToken ct)
    {
        try
        {
            return await transport.SendAsync(call.WithDryRun(dryRun), ct);
        }
        catch (Ec2Exception e) when (dryRun && e.Code == Ec2Errors.DryRunOperation)
        {
            return null;
        }
    }

    /// <summary>Asks whether our rights reach so far; nothing is done. What is wrong with the call beside that does not matter.</summary>
    public async Task<bool> IsPermittedAsync(Ec2Call call, CancellationToken ct)
    {
        try
        {
            await transport.SendAsync(call.WithDryRun(true), ct);
            return true;
        }
        catch (Ec2Exception e) when (e.Fault == CallFault.Refused && !Ec2Errors.IsBadCredential(e.Code))
        {
            return !Ec2Errors.IsNotPermitted(e.Code);
        }
    }

    /// <summary>All pages of a list.</summary>
    private async Task<ImmutableArray<T>> ListAsync<T>(Ec2Call call, Func<XElement, IEnumerable<T>> read, CancellationToken ct)
    {
        var all = ImmutableArray.CreateBuilder<T>();
        string? next = null;
        for (var page = 0; page < MostPages; page++)
        {
            var answer = await transport.SendAsync(call.With("NextToken", next), ct);
            all.AddRange(read(answer));
            next = answer.Text("nextToken");
            if (next is null)
            {
                return all.ToImmutable();
            }
        }

        throw Ec2Exception.Unreadable($"{call.Action} has no end after {MostPages} pages");
    }
}
