      * 例（公式ではない）。現行税システムが受け取る住民の固定長レコード。
       01  JUMIN-REC.
         03  BANGO      PIC 9(15).
         03  RIREKI     PIC S9(05) COMP-3.
         03  SETAI      PIC X(15).
         03  KU         PIC X(12).
         03  SHUBETSU   PIC X(02).
         03  JOTAI      PIC X(02).
         03  SHIMEI     PIC N(50).
         03  KANA       PIC N(50).
         03  SEIBETSU   PIC X(01).
         03  SEINEN     PIC X(10).
         03  SEINEN-F   PIC X(01).
         03  SEINEN-H   PIC N(36).
         03  ZOKU       PIC X(04).
         03  SHICHOSON  PIC X(06).
         03  TODOFUKEN  PIC N(04).
         03  SHIKU      PIC N(12).
         03  CHOAZA     PIC N(40).
         03  BANCHI     PIC N(50).
         03  KATAGAKI   PIC N(50).
         03  YUBIN      PIC X(07).
         03  JIYU       PIC X(04).
         03  IDOBI      PIC X(10).
         03  IDOBI-F    PIC X(01).
         03  IDOBI-H    PIC N(36).
         03  SHIEN      PIC X(01).
         03  FILLER     PIC X(10).
         03  KAISHI     PIC 9(08).
         03  SHURYO     PIC 9(08) COMP-3.
