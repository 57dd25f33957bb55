"""How people ask in other languages: what they want to see, where, and in which style."""

# Language → (subjects, places and light, styles, how the parts are joined).
LANGUAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
    "es": (
        ("un zorro rojo", "un faro viejo", "un robot de hojalata", "una bailarina", "un barco de papel"),
        ("en un bosque nevado", "de noche con lluvia", "al atardecer", "en una calle estrecha", "bajo el mar"),
        ("estilo acuarela", "dibujo a lápiz", "pintura al óleo", "muy detallado", "como dibujos animados"),
        ", ",
    ),
    "fr": (
        ("un renard roux", "un phare abandonné", "une danseuse étoile", "un robot rouillé", "un chat endormi"),
        ("sous la neige", "dans une ruelle la nuit", "au lever du soleil", "au bord de la mer", "dans le brouillard"),
        ("style aquarelle", "gravure ancienne", "peinture à l'huile", "très détaillé", "façon bande dessinée"),
        ", ",
    ),
    "de": (
        ("ein roter Fuchs", "ein alter Leuchtturm", "eine Tänzerin", "ein Blechroboter", "eine schlafende Katze"),
        ("im verschneiten Wald", "nachts bei Regen", "bei Sonnenuntergang", "in einer engen Gasse", "unter Wasser"),
        ("als Aquarell", "Bleistiftzeichnung", "Ölgemälde", "sehr detailliert", "wie im Zeichentrickfilm"),
        ", ",
    ),
    "pt": (
        ("uma raposa vermelha", "um farol antigo", "um robô de lata", "uma bailarina", "um barco de papel"),
        ("na floresta com neve", "à noite na chuva", "ao pôr do sol", "numa rua estreita", "no fundo do mar"),
        ("estilo aquarela", "desenho a lápis", "pintura a óleo", "bem detalhado", "tipo desenho animado"),
        ", ",
    ),
    "it": (
        ("una volpe rossa", "un vecchio faro", "un robot di latta", "una ballerina", "un gatto che dorme"),
        ("nel bosco innevato", "di notte sotto la pioggia", "al tramonto", "in un vicolo stretto", "sott'acqua"),
        ("stile acquerello", "disegno a matita", "pittura a olio", "molto dettagliato", "come un fumetto"),
        ", ",
    ),
    "pl": (
        ("rudy lis", "stara latarnia morska", "blaszany robot", "tancerka", "śpiący kot"),
        ("w zaśnieżonym lesie", "nocą w deszczu", "o zachodzie słońca", "w wąskiej uliczce", "pod wodą"),
        ("akwarela", "szkic ołówkiem", "obraz olejny", "bardzo szczegółowo", "jak w kreskówce"),
        ", ",
    ),
    "tr": (
        ("kızıl bir tilki", "eski bir deniz feneri", "teneke robot", "bir balerin", "uyuyan kedi"),
        ("karlı ormanda", "gece yağmurda", "gün batımında", "dar bir sokakta", "su altında"),
        ("suluboya", "karakalem çizim", "yağlı boya", "çok detaylı", "çizgi film gibi"),
        ", ",
    ),
    "ru": (
        ("рыжая лиса", "старый маяк", "жестяной робот", "балерина", "спящий кот"),
        ("в снежном лесу", "ночью под дождём", "на закате", "в узком переулке", "под водой"),
        ("акварель", "рисунок карандашом", "картина маслом", "очень подробно", "как в мультфильме"),
        ", ",
    ),
    "ar": (
        ("ثعلب أحمر", "منارة قديمة", "رجل آلي من الصفيح", "راقصة باليه", "قطة نائمة"),
        ("في غابة ثلجية", "ليلا تحت المطر", "عند الغروب", "في زقاق ضيق", "تحت الماء"),
        ("ألوان مائية", "رسم بالقلم الرصاص", "لوحة زيتية", "تفاصيل كثيرة", "مثل الرسوم المتحركة"),
        "، ",
    ),
    "hi": (
        ("एक लाल लोमड़ी", "पुराना प्रकाशस्तंभ", "टिन का रोबोट", "एक नर्तकी", "सोती हुई बिल्ली"),
        ("बर्फीले जंगल में", "रात की बारिश में", "सूर्यास्त के समय", "एक तंग गली में", "पानी के नीचे"),
        ("जल रंग", "पेंसिल से बना चित्र", "तैल चित्र", "बहुत बारीक", "कार्टून जैसा"),
        ", ",
    ),
    "ja": (
        ("赤い狐", "古い灯台", "ブリキのロボット", "バレリーナ", "眠っている猫"),
        ("雪の森", "雨の夜", "夕焼け", "狭い路地", "水の中"),
        ("水彩画", "鉛筆画", "油絵", "とても細かく", "アニメ風"),
        "、",
    ),
    "zh": (
        ("一只红狐狸", "旧灯塔", "铁皮机器人", "芭蕾舞者", "睡着的猫"),
        ("雪后的森林", "雨夜", "夕阳下", "狭窄的小巷", "水下"),
        ("水彩画", "铅笔素描", "油画", "非常精细", "动画风格"),
        "，",
    ),
    "ko": (
        ("빨간 여우", "오래된 등대", "양철 로봇", "발레리나", "잠자는 고양이"),
        ("눈 덮인 숲", "비 오는 밤", "해질녘", "좁은 골목", "물속"),
        ("수채화", "연필 스케치", "유화", "아주 자세하게", "만화 느낌"),
        ", ",
    ),
}
