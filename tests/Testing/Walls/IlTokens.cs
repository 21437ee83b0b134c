using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Testing.Walls;

/// <summary>What a method body refers to: (opcode, token) of every instruction that carries one. ECMA-335 III.</summary>
internal static class IlTokens
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<(OpCode Code, EntityHandle Token)> Of(byte[] body)
    {
        for (var at = 0; at < body.Length;)
        {
            var code = body[at] == 0xfe ? Codes[unchecked((short)(0xfe00 | body[at + 1]))] : Codes[body[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                yield return (code, (EntityHandle)MetadataTokens.Handle(BitConverter.ToInt32(body, at)));
            }

            at += Operand(code, body, at);
        }
    }

    private static int Operand(OpCode code, byte[] body, int at) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(body, at)),
        _ => 4,
    };
}
