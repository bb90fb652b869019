"""What is said about each step of a check, in Chinese and in English: what holds, or which field differs and what that means."""

from typing import Final

SUMMARIES: Final = {
    "proved": "is_proved",
    "promised": "is_promised",
    "overdue": "is_overdue",
    "unsigned": "is_unsigned",
}

_SENTENCES: Final = {
    # what it all comes to
    "is_proved": (
        "对得上：这一笔是公开台账的第 {number} 条，小票里的每一项都和它一致。",
        "It holds: this is entry {number} of the public record, and everything in the receipt agrees with it.",
    ),
    "is_proved_in_batch": (
        "对得上：这一笔在公开台账第 {number} 条那一批里，一批 {count} 笔只公布合计；小票里的每一项都和它一致。",
        "It holds: this is one of the {count} purchases of the batch that is entry {number} of the public record; everything inside agrees.",
    ),
    "is_promised": (
        "目前对得上：已签名承诺，最迟 {by} 写入公开台账；到时请下载新的小票再核对一次。",
        "It holds so far: it is promised under signature to be in the public record by {by}; fetch the receipt again then.",
    ),
    "is_overdue": (
        "承诺已过期：签名承诺最迟 {by} 写入公开台账，而小票里没有入账证明。先重新下载小票；还是没有，就把这个文件交给经审，它就是漏记的证据。",
        "Overdue: signed to be in the public record by {by}, and no proof is inside. Fetch it again; still none: the file proves the omission.",
    ),
    "is_unsigned": (
        "证明不了：各项之间没有出入，但没有可信的签名，谁都可以写出这样一个文件。",
        "Nothing is proved: no field contradicts another, but no trusted key signed any of it, and anybody can write such a file.",
    ),
    # who signed
    "key_unknown": (
        "“{field}”不符：这把公钥不是您信任的公钥（{key}）。",
        "{field} differs: this key is not one that you trust ({key}).",
    ),
    # the entry
    "leaf_holds": ("记录原文和它的指纹一致。", "The entry has the hash that the receipt says."),
    "leaf_differs": (
        "“{field}”不符：记录原文算出来是另一个指纹，原文或指纹被改过。",
        "{field} differs: the entry has another hash, so one of the two was changed.",
    ),
    "entry_unreadable": (
        "“{field}”不符：记录原文不是一笔核销。",
        "{field} differs: the entry is not that of a sale.",
    ),
    "entry_unequal": (
        "“{field}”不符：标价不等于让利、补贴、实付之和。",
        "{field} differs: the list price is not concession, subsidy and paid together.",
    ),
    "entry_adds_up": ("标价 = 让利 + 补贴 + 实付。", "List price = concession + subsidy + paid."),
    # the promise
    "promise_holds": ("承诺签名有效：最迟 {by} 写入公开台账。", "The promise is signed: in the public record by {by}."),
    "promise_missing": ("小票里没有签名的承诺。", "There is no signed promise inside."),
    "promise_key_missing": (
        "没有给出承诺的公钥，承诺没有核对。",
        "No promise key was given, so the promise was not checked.",
    ),
    "promise_unsigned": (
        "“{field}”不符：承诺不是用承诺公钥签的，或签名之后被改过。",
        "{field} differs: it is not signed by the promise key, or was changed after signing.",
    ),
    "promise_of_another": (
        "“{field}”不符：这是另一条记录的承诺。",
        "{field} differs: this is the promise of another entry.",
    ),
    # the batch
    "batch_holds": (
        "这一笔在一批 {count} 笔里：从记录指纹能算到这一批公布的总指纹。",
        "The purchase is one of the {count} in its batch: its hash leads to the root that the batch says.",
    ),
    "batch_differs": (
        "“{field}”不符：从记录指纹算不到这一批公布的总指纹。",
        "{field} differs: the path does not lead from the entry to the root that the batch says.",
    ),
    "batch_of_others": (
        "“{field}”不符：这一批是别家商户或别的月份的，或者合计比这一笔还少。",
        "{field} differs: the batch is of another merchant or month, or its sums are below this purchase.",
    ),
    "batch_unreadable": (
        "“{field}”不符：这不是一批核销的记录。",
        "{field} differs: this is not the entry of a batch of sales.",
    ),
    # the proof
    "batch_proof_holds": (
        "入账证明有效：这一批是公开台账第 {number} 条，检查点由台账公钥签名。",
        "The proof holds: the batch is entry {number} of the public record, under a checkpoint signed by the log's key.",
    ),
    "proof_holds": (
        "入账证明有效：公开台账第 {number} 条，检查点由台账公钥签名。",
        "The proof holds: entry {number} of the public record, under a checkpoint signed by the log's key.",
    ),
    "proof_missing": (
        "还没有入账证明：公布以后再下载小票就有。",
        "No proof is inside yet: the receipt has one once the entry is published.",
    ),
    "proof_key_missing": (
        "没有给出台账的公钥，入账证明没有核对。",
        "No log key was given, so the proof was not checked.",
    ),
    "proof_differs": (
        "“{field}”不符：入账证明没有通到台账公钥签名的检查点。",
        "{field} differs: the proof does not lead from the entry to a checkpoint signed by the log's key.",
    ),
    "offer_differs": (
        "“{field}”不符：这一版优惠的原文没有通到台账公钥签名的检查点。",
        "{field} differs: the terms of this offer do not lead to a checkpoint signed by the log's key.",
    ),
    # the documents
    "subject_holds": ("这一笔属于小票上的持卡人。", "The purchase is that of the person and card inside."),
    "subject_missing": (
        "没有写持卡人，所以不核对是谁买的。",
        "The person was left out, so whose purchase it is was not checked.",
    ),
    "basket_holds": ("购物清单就是当时登记的那一份。", "The basket is the one that the entry commits to."),
    "basket_missing": ("没有附购物清单。", "The basket was left out."),
    "facts_holds": ("优惠依据就是当时登记的那一份。", "The facts are those that the entry commits to."),
    "facts_missing": ("没有附优惠依据，所以不重新算价。", "The facts were left out, so the price was not made again."),
    "document_differs": (
        "“{field}”不符：内容或它的盐和记录里的承诺值对不上，被改过。",
        "{field} differs: the text or its salt does not open the commitment in the entry.",
    ),
    "basket_adds_up": (
        "清单合计 ¥{amount}，等于记录里的标价。",
        "The lines come to ¥{amount}, the list price of the entry.",
    ),
    "basket_differs": (
        "“{field}”不符：清单合计不等于记录里的标价。",
        "{field} differs: the lines do not come to the list price of the entry.",
    ),
    "quote_holds": ("算价结果的各项金额等于记录里的金额。", "The amounts of the quote are those of the entry."),
    "quote_differs": (
        "“{field}”不符：算价结果的金额和记录里的不一样。",
        "{field} differs: the amounts of the quote are not those of the entry.",
    ),
    # the price
    "price_holds": (
        "按公布的优惠条款重新算了一遍，实付还是 ¥{amount}。",
        "Priced again from the published terms: ¥{amount} to pay, as before.",
    ),
    "price_differs": (
        "“{field}.{part}”不符：按公布的优惠条款重新算，实付是 ¥{priced}。",
        "{field}.{part} differs: priced again from the published terms, ¥{priced} is to be paid.",
    ),
    "price_bounded": (
        "当时没有比完所有组合，自己说明最多还能低 ¥{gap}；重新算的结果在这个范围内。",
        "The price was not proved the lowest and says that it may be up to ¥{gap} too high; priced again it lies within that.",
    ),
    "price_needs_documents": (
        "没有重新算价：要有购物清单和优惠依据才行。",
        "The price was not made again: that needs the basket and the facts.",
    ),
    "price_needs_offer": (
        "没有重新算价：小票里没有优惠 {offer} 的条款和入账证明。",
        "The price was not made again: the terms of {offer} with their proof are not inside.",
    ),
    "price_not_tried": (
        "没有重新算价：只有签过名、各项一致的小票才重新算。",
        "The price was not made again: only what is signed and agrees so far is priced.",
    ),
    "price_other_rules": (
        "没有重新算价：当时用的是第 {rules} 版规则，这里没有。",
        "The price was not made again: rules {rules} priced it, which are not known here.",
    ),
    "price_unreadable": (
        "没有重新算价：{where} 读不懂。",
        "The price was not made again: {where} cannot be read.",
    ),
}


def say(code: str, **facts: str | int) -> tuple[str, str]:
    """The sentence of a code in Chinese and in English."""
    zh, en = _SENTENCES[code]
    return zh.format(**facts), en.format(**facts)
